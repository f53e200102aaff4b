/**
 * What the compiler must infer, and what it must refuse. Nothing here is ever run: `npm run typecheck` compiles it, and a
 * `@ts-expect-error` over a line that compiles is an error itself.
 */
import {availableParallelism} from 'node:os';
import {basename} from 'node:path';
import {type MapError, type MapRun, type Outcome, Pool, type RunStatus, type TaskError, task} from '../../src/index.js';
import {type Equal, holds} from './equal.js';

declare const lazyNumbers: AsyncIterable<number>;
declare const generateNumbers: () => Generator<number>;
declare const square: (x: number) => number;
declare const fetchName: (id: number) => Promise<string>;
declare const lengthOrName: (id: number) => number | Promise<string>;
declare const power: (base: number, exponent: number) => number;
declare const pad: (text: string, width?: number) => string;
declare const returnNothing: (id: number) => void;
declare const join: (separator: string, ...parts: number[]) => Promise<string>;

const pool: Pool = new Pool();
new Pool({queueName: 'short.q', numChunks: 100});

/** Results are inferred from the function, tasks from its parameter. */
export const inferResults = async (): Promise<void> => {
	const squares = await pool.map(square, [1, 2]);
	holds<Equal<typeof squares, number[]>>();
	const names = await pool.map(fetchName, [1, 2]);
	holds<Equal<typeof names, string[]>>();
	const mixed = await pool.map(lengthOrName, [1, 2]);
	holds<Equal<typeof mixed, (number | string)[]>>();
	const records = await pool.map(({id}: {id: number}) => ({id, even: id % 2 === 0}), [{id: 1}]);
	holds<Equal<typeof records, {id: number; even: boolean}[]>>();
	const nothing = await pool.map(returnNothing, [1]);
	holds<Equal<typeof nothing, ReturnType<typeof returnNothing>[]>>();
	const untyped = await pool.map(x => x.toFixed(1), [1, 2]);
	holds<Equal<typeof untyped, string[]>>();
	const thenable = await pool.map((x: number): PromiseLike<boolean> => Promise.resolve(x > 0), [1]);
	holds<Equal<typeof thenable, boolean[]>>();
	const marked = await pool.map(task(import.meta.url, square), [1]);
	holds<Equal<typeof marked, number[]>>();
};

/** Built-ins are functions like any other, whatever optional parameters they have. */
export const inferBuiltIns = async (): Promise<void> => {
	const roots = await pool.map(Math.sqrt, [1, 4]);
	holds<Equal<typeof roots, number[]>>();
	const integers = await pool.map(parseInt, ['1']);
	holds<Equal<typeof integers, number[]>>();
	const bases = await pool.map(basename, ['/a/b']);
	holds<Equal<typeof bases, string[]>>();
	const padded = await pool.map(pad, ['a']);
	holds<Equal<typeof padded, string[]>>();
	const processors = await pool.map(availableParallelism, [0]);
	holds<Equal<typeof processors, number[]>>();
	await pool.map(String, [1, 'a', null]);
	await pool.map(structuredClone, [1]);
};

/** Any iterable or async iterable will do. */
export const takeIterables = async (): Promise<void> => {
	await pool.map(square, new Set([1]));
	await pool.map(square, new Map([[1, 'a']]).keys());
	await pool.map(square, generateNumbers());
	await pool.map(square, new Float64Array(3));
	await pool.map(square, lazyNumbers);
	await pool.map(pad, 'abc');
	await pool.map(square, [1, 2] as readonly number[]);
	await pool.map(square, [1, 2] as const);
	await pool.map((x: number | string) => x, [1, 2]);
	await pool.map(square, []);
	await pool.starmap(power, new Map([[1, 2]]));
	await pool.mapSettled(square, lazyNumbers);
};

export const refuseWrongTasks = async (): Promise<void> => {
	// @ts-expect-error tasks of another type
	await pool.map(square, ['a']);
	// @ts-expect-error one task of another type
	await pool.map(square, [1, 'a']);
	// @ts-expect-error tasks that may be missing
	await pool.map(square, [1, undefined]);
	// @ts-expect-error tasks of another type in an async iterable
	await pool.map(pad, lazyNumbers);
	// @ts-expect-error a record is no iterable
	await pool.map(square, {a: 1});
	// @ts-expect-error a promise of tasks is no iterable
	await pool.map(square, Promise.resolve([1]));
	// @ts-expect-error no tasks
	await pool.map(square);
	// @ts-expect-error two parameters that must be given: that is for starmap
	await pool.map(power, [1, 2]);
	// @ts-expect-error the same, with tuples
	await pool.map(power, [[1, 2]]);
	// @ts-expect-error not a function
	await pool.map(3, [1]);
	// @ts-expect-error the name of a function alone
	await pool.map('square', [1]);
	// @ts-expect-error tasks of another type
	await pool.mapSettled(square, ['a']);
};

export const inferArgumentLists = async (): Promise<void> => {
	const powers = await pool.starmap(power, [
		[2, 3],
		[3, 2],
	]);
	holds<Equal<typeof powers, number[]>>();
	const repeated = await pool.starmap((text: string, times: number) => text.repeat(times), [['a', 3]]);
	holds<Equal<typeof repeated, string[]>>();
	const untyped = await pool.starmap((a, b) => a + b, [[1, 2]] as [number, number][]);
	holds<Equal<typeof untyped, number[]>>();
	const lists: readonly (readonly [number, number])[] = [[1, 2]];
	const again = await pool.starmap(power, lists);
	holds<Equal<typeof again, number[]>>();
	const joined = await pool.starmap(join, [['-', 1, 2, 3], ['+']] as [string, ...number[]][]);
	holds<Equal<typeof joined, string[]>>();
	const padded = await pool.starmap(pad, [['a'], ['b', 3]] as [string, number?][]);
	holds<Equal<typeof padded, string[]>>();
	const maxima = await pool.starmap(Math.max, [[1, 2, 3], [4]]);
	holds<Equal<typeof maxima, number[]>>();

	// @ts-expect-error an argument of another type
	await pool.starmap(power, [[2, 'a']]);
	// @ts-expect-error too few arguments
	await pool.starmap(power, [[2]]);
	// @ts-expect-error too many arguments
	await pool.starmap(power, [[2, 3, 4]]);
	// @ts-expect-error tasks that are no lists of arguments
	await pool.starmap(square, [1, 2]);
};

export const inferOutcomes = async (): Promise<void> => {
	const outcomes = await pool.mapSettled(fetchName, [1]);
	holds<Equal<typeof outcomes, Outcome<string>[]>>();
	for (const outcome of outcomes) {
		holds<Equal<typeof outcome.status, 'fulfilled' | 'rejected'>>();
		holds<Equal<typeof outcome.itask, number>>();
		holds<Equal<typeof outcome.host, string | undefined>>();
		if (outcome.status === 'fulfilled') {
			holds<Equal<typeof outcome.value, string>>();
			// @ts-expect-error a fulfilled outcome has no reason
			outcome.reason;
		} else {
			holds<Equal<typeof outcome.reason, TaskError>>();
			// @ts-expect-error a rejected outcome has no value
			outcome.value;
		}
		// @ts-expect-error outcomes are not for changing
		outcome.itask = 3;
	}
	// What Promise.allSettled gives is read the same way.
	const settled: readonly PromiseSettledResult<string>[] = outcomes;
	void settled;
};

/** A function that is only named has results of an unknown type, unless the caller says which. */
export const nameFunctions = async (): Promise<void> => {
	const unknowns = await pool.map({module: new URL('./work.js', import.meta.url), name: 'square'}, [1, 'a']);
	holds<Equal<typeof unknowns, unknown[]>>();
	const said = await pool.map<number>({module: '/work.js', name: ['operations', 'add']}, [1]);
	holds<Equal<typeof said, number[]>>();
	const outcomes = await pool.mapSettled({module: '/work.js', name: 'square'}, [1]);
	holds<Equal<typeof outcomes, Outcome<unknown>[]>>();
	const stars = await pool.starmap({module: '/work.js', name: 'power'}, [[1, 2]]);
	holds<Equal<typeof stars, unknown[]>>();
	// @ts-expect-error a module without a name
	await pool.map({module: '/work.js'}, [1]);
	// @ts-expect-error lists of arguments
	await pool.starmap({module: '/work.js', name: 'power'}, [1]);
};

export const checkOptions = async (): Promise<void> => {
	await pool.map(square, [1], {chunkSize: 3, signal: new AbortController().signal, env: ['PATH']});
	// @ts-expect-error an unknown option
	new Pool({numChunk: 3});
	// @ts-expect-error an unknown option of a call
	await pool.map(square, [1], {queue: 'short.q'});
	// @ts-expect-error a value of another type
	new Pool({numChunks: '3'});
	// @ts-expect-error an engine that there is not
	new Pool({engine: 'torque'});
	// @ts-expect-error one of a list of words
	await pool.starmap(power, [[1, 2]], {env: 3});
};

export const readErrors = (error: MapError<number>): void => {
	holds<Equal<typeof error.failures, readonly TaskError[]>>();
	holds<Equal<typeof error.results, readonly number[]>>();
	holds<Equal<typeof error.workDir, string>>();
	// @ts-expect-error a kind that there is not
	error.failures[0]?.kind === 'timeout';
};

/** What is submitted has the types of what is mapped; what is come back to has those that the caller says. */
export const submitMaps = async (): Promise<void> => {
	const run = await pool.submit(fetchName, [1]);
	holds<Equal<typeof run, MapRun<string>>>();
	const results = await run.results();
	holds<Equal<typeof results, string[]>>();
	const outcomes = await run.outcomes();
	holds<Equal<typeof outcomes, Outcome<string>[]>>();
	const settled = run.settledSoFar();
	holds<Equal<typeof settled, Outcome<string>[]>>();
	for await (const outcome of run) holds<Equal<typeof outcome, Outcome<string>>>();
	const status = run.status();
	holds<Equal<typeof status, RunStatus>>();
	holds<Equal<typeof status.isOver, boolean>>();
	await run.cancel();
	await run.cancel('for any reason');
	await run.detach();
	const marked = await pool.submit({module: '/work.js', name: 'square'}, [1, 'a']);
	holds<Equal<typeof marked, MapRun<unknown>>>();
	const unknowns = await Pool.resume('run');
	holds<Equal<typeof unknowns, MapRun<unknown>>>();
	const numbers = await (await Pool.resume<number>('run', {pollingIntervalMs: 100})).results();
	holds<Equal<typeof numbers, number[]>>();
	const again = await Pool.rerun<number>('run', {itasks: [3, 7], resources: {memory: '16G'}});
	holds<Equal<typeof again, MapRun<number>>>();
	// @ts-expect-error no numbers of tasks
	await Pool.rerun('run', {itasks: ['3']});
	// @ts-expect-error tasks of another type
	await pool.submit(square, ['a']);
	// @ts-expect-error an unknown option
	await Pool.resume('run', {chunks: 3});
	// @ts-expect-error the work_dir is not for changing
	run.workDir = 'elsewhere';
};
