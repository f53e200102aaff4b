/** What an object must have to be an engine. The compiler says it to those who write TypeScript; this says it to all. */
import type {Engine} from './engines/engine.js';
import type {PoolOptions} from './options.js';

/** What can be named instead of given. */
export const BUILT_IN_ENGINES: readonly Extract<PoolOptions['engine'], string>[] = ['grid-engine', 'slurm', 'local'];

/** Whether a name in run.json is that of an engine which the caller must bring. */
export const isForeign = (name: string): boolean => !BUILT_IN_ENGINES.some(known => known === name);

export type EngineFault = {
	/** As `status` or `arrays.submit`. */
	readonly member: string;
	readonly expected: string;
	/** Undefined when it is not there. */
	readonly value: unknown;
};

/** The first thing that keeps an object from being an engine. */
export const findEngineFault = (engine: object): EngineFault | undefined =>
	findFault(engine, MEMBERS, '') ?? findFault((engine as Partial<Engine>).arrays, ARRAY_MEMBERS, 'arrays.');

type Rule = {readonly expected: string; readonly accepts: (value: unknown) => boolean};
type Rules<T> = {readonly [Name in keyof T]-?: Rule};

const findFault = (object: object | undefined, rules: Readonly<Record<string, Rule>>, prefix: string): EngineFault | undefined => {
	if (object === undefined) return undefined;
	const values = object as Readonly<Record<string, unknown>>;
	const found = Object.entries(rules).find(([name, {accepts}]) => !accepts(values[name]));
	return found && {member: `${prefix}${found[0]}`, expected: found[1].expected, value: values[found[0]]};
};

const method: Rule = {expected: 'a function', accepts: value => typeof value === 'function'};
const optionalMethod: Rule = {expected: 'a function or nothing', accepts: value => value === undefined || typeof value === 'function'};

const MEMBERS: Rules<Engine> = {
	name: {
		// It is written into run.json, and who comes back to a map is told to bring the engine of this name.
		expected: 'letters, digits and `_ . -` that are not the name of an engine of this library',
		accepts: value => typeof value === 'string' && /^[\w.-]+$/.test(value) && isForeign(value),
	},
	statusCost: {expected: '`call` or `none`', accepts: value => value === 'call' || value === 'none'},
	outlivesProcess: {expected: 'true or false', accepts: value => typeof value === 'boolean'},
	maxDefaultChunks: {expected: 'an integer from 1 and up', accepts: value => Number.isSafeInteger(value) && (value as number) >= 1},
	submit: method,
	describe: optionalMethod,
	status: method,
	remove: method,
	explain: method,
	arrays: {expected: 'an object or nothing', accepts: value => value === undefined || (typeof value === 'object' && value !== null)},
};

const ARRAY_MEMBERS: Rules<NonNullable<Engine['arrays']>> = {
	// The launcher reads it.
	elementVariable: {
		expected: 'the name of a variable of the shell',
		accepts: value => typeof value === 'string' && /^[A-Za-z_]\w*$/.test(value),
	},
	maxElements: method,
	submit: method,
	describe: optionalMethod,
	elementId: method,
};

/** For people: every member that an engine can't do without. */
export const ENGINE_MEMBERS: string = Object.entries(MEMBERS)
	.filter(([, {accepts}]) => !accepts(undefined))
	.map(([name]) => `\`${name}\``)
	.join(', ');
