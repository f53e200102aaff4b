import type {Node} from 'acorn';

/**
 * What a function takes from the place where it was written or called, other than variables: `this`, `super`,
 * `import.meta`, `import()`. A scope analysis does not know these.
 */
export const ownContextUses = (root: Node): readonly string[] => {
	const uses = new Set<string>();
	// `isOwn`: the code has the same `this` as the function looked at.
	const visit = (node: Node, isOwn: boolean): void => {
		const use = contextUse(node);
		if (use !== undefined && (isOwn || !NESTED_FUNCTIONS_HAVE_THEIR_OWN.has(use))) uses.add(use);
		for (const {child, key} of children(node)) visit(child, isOwn && !hasOwnThis(node, key));
	};
	for (const {child} of children(root)) visit(child, true);
	return [...uses];
};

/** The identifiers that are only asked for their type. */
export const typeofOperands = (root: Node): ReadonlySet<Node> => {
	const operands = new Set<Node>();
	const visit = (node: Node): void => {
		const {operator, argument} = node as Node & {readonly operator?: string; readonly argument?: Node};
		if (node.type === 'UnaryExpression' && operator === 'typeof' && argument?.type === 'Identifier') operands.add(argument);
		for (const {child} of children(node)) visit(child);
	};
	visit(root);
	return operands;
};

const NESTED_FUNCTIONS_HAVE_THEIR_OWN = new Set(['this', 'super']);

const contextUse = (node: Node): string | undefined => {
	const {meta} = node as Node & {readonly meta?: {readonly name: string}};
	switch (node.type) {
		case 'ThisExpression':
			return 'this';
		case 'Super':
			return 'super';
		case 'ImportExpression':
			return 'import()';
		case 'MetaProperty':
			// The other one, `new.target`, is a function's own wherever its text can be parsed.
			return meta?.name === 'import' ? 'import.meta' : undefined;
		default:
			return undefined;
	}
};

// The computed name of a class member is evaluated outside of it, its value inside.
const hasOwnThis = (node: Node, key: string): boolean =>
	node.type === 'FunctionExpression' ||
	node.type === 'FunctionDeclaration' ||
	node.type === 'StaticBlock' ||
	(node.type === 'PropertyDefinition' && key === 'value');

const children = (node: Node): readonly {readonly child: Node; readonly key: string}[] =>
	Object.entries(node).flatMap(([key, value]) => [value].flat().flatMap(child => (isNode(child) ? [{child, key}] : [])));

const isNode = (value: unknown): value is Node => typeof (value as Node | undefined | null)?.type === 'string';
