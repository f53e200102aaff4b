/**
 * Whether the text of a function can be compiled on another machine and mean the same there. It can when everything it uses is its
 * own, or is a global that every Node process has.
 */
import type {Expression, Node, Program} from 'acorn';
import {ownContextUses, typeofOperands} from './syntax-walk.js';
import type {AnyFunction} from './types.js';
import {workerNames} from './worker-names.js';

export type SourceAnalysis =
	/** `source` is an expression whose value is the function. */
	| {readonly kind: 'self-contained'; readonly source: string}
	/** `uses` are the names (also `this`, `super`, …) that a worker does not have. */
	| {readonly kind: 'bound-to-its-place'; readonly uses: readonly string[]}
	| {readonly kind: 'accessor'}
	/** It uses a private name, `super` or `new.target` of its surroundings. */
	| {readonly kind: 'unreadable'};

export type Surroundings = {
	/** The variables around the function: a name among them is not the global of that name. Undefined when they can't be known. */
	readonly namesInScope: ReadonlySet<string> | undefined;
	/** Whether `require` and `import()` have a file to start from. */
	readonly hasFile: boolean;
	readonly isSloppy: boolean;
};

/** The worker provides these from the function's file; `__name` is what esbuild and tsx wrap inner functions in. */
const PROVIDED = ['require', '__filename', '__dirname', '__name'];

export const analyseSource = async (fn: AnyFunction, surroundings: Surroundings): Promise<SourceAnalysis> => {
	const parsed = await parseFunction(Function.prototype.toString.call(fn), surroundings.isSloppy);
	if (parsed.kind !== 'function') return {kind: parsed.kind};
	const uses = [...contextUses(parsed, surroundings), ...(await freeNames(parsed, surroundings))];
	return uses.length === 0 ? {kind: 'self-contained', source: parsed.source} : {kind: 'bound-to-its-place', uses: [...new Set(uses)]};
};

type ParsedFunction = {
	readonly kind: 'function';
	readonly source: string;
	readonly program: Program;
	readonly root: Node;
	readonly sourceType: 'module' | 'script';
};

const parseFunction = async (text: string, isSloppy: boolean): Promise<ParsedFunction | {readonly kind: 'accessor' | 'unreadable'}> => {
	const {parse} = await import('acorn');
	// Parsed as a module even where `import.meta` makes it one that can't be shipped: the error shall name it.
	const sourceType = isSloppy ? 'script' : 'module';
	const expressionOf = (code: string): {readonly program: Program; readonly expression: Expression} | undefined => {
		try {
			const program = parse(code, {ecmaVersion: 'latest', sourceType, ranges: true, locations: true});
			const [statement] = program.body;
			return statement?.type === 'ExpressionStatement' ? {program, expression: statement.expression} : undefined;
		} catch {
			return undefined;
		}
	};
	const plain = expressionOf(`(${text})`);
	if (plain?.expression.type === 'FunctionExpression' || plain?.expression.type === 'ArrowFunctionExpression') {
		return {kind: 'function', source: text, program: plain.program, root: plain.expression, sourceType};
	}
	// A method's text is no expression; inside an object it is one.
	const object = expressionOf(`({${text}})`);
	const [property] = object?.expression.type === 'ObjectExpression' ? object.expression.properties : [];
	if (object === undefined || property?.type !== 'Property') return {kind: 'unreadable'};
	if (property.kind !== 'init') return {kind: 'accessor'};
	const source = `(object => object[Reflect.ownKeys(object)[0]])({${text}})`;
	return {kind: 'function', source, program: object.program, root: property.value, sourceType};
};

const contextUses = ({root}: ParsedFunction, {hasFile}: Surroundings): readonly string[] =>
	ownContextUses(root).filter(use => use !== 'import()' || !hasFile);

const freeNames = async ({program, sourceType}: ParsedFunction, {namesInScope, hasFile}: Surroundings): Promise<readonly string[]> => {
	const {analyze} = await import('eslint-scope');
	const manager = analyze(program as Parameters<typeof analyze>[0], {ecmaVersion: 2025, sourceType});
	const global = await workerNames();
	const isProvided = (name: string): boolean => PROVIDED.includes(name) && (hasFile || name === '__name');
	const isGlobal = (name: string): boolean => global.has(name) && !namesInScope?.has(name);
	// `typeof window` asks whether there is such a thing. Where there is none, the answer on the worker is the same.
	const asked = typeofOperands(program);
	const isAbsent = (name: string): boolean => !namesInScope?.has(name) && !(name in globalThis);
	return (manager.globalScope?.through ?? [])
		.map(({identifier}) => identifier as unknown as Node & {readonly name: string})
		.filter(identifier => !(asked.has(identifier) && isAbsent(identifier.name)))
		.map(({name}) => name)
		.filter(name => !isProvided(name) && !isGlobal(name));
};
