/** What the compiler must infer of the tasks of an experiment; see `pool.ts` here. */
import {type GridPoint, grid, Pool, randomParameters, type randomStream, type TaskList} from '../../src/index.js';
import {type Equal, holds} from './equal.js';

declare const axes: {delta: number[]; mode: string[]};

/** A point of a grid has the types of the values along its axes. */
export const inferPoints = (): void => {
	const points = grid(axes);
	holds<Equal<typeof points, TaskList<{delta: number; mode: string}>>>();
	const literal = grid({
		delta: [0.1, 0.2],
		mode: ['fast', 'exact'],
		size: new Uint32Array(2),
		big: new BigInt64Array(2),
		mixed: [1, 'a', null],
	});
	holds<Equal<typeof literal, TaskList<{delta: number; mode: string; size: number; big: bigint; mixed: string | number | null}>>>();
	const constant = grid({mode: ['fast', 'exact']} as const);
	holds<Equal<typeof constant, TaskList<{mode: 'fast' | 'exact'}>>>();
	holds<Equal<GridPoint<{readonly delta: readonly number[]}>, {delta: number}>>();
	// biome-ignore lint/complexity/noBannedTypes: the one point of a grid without axes.
	holds<Equal<ReturnType<typeof grid<{}>>, TaskList<{}>>>();
	// @ts-expect-error a single value is no axis
	grid({delta: 1});
	// @ts-expect-error a text would be an axis of its letters
	grid({mode: 'fast'});
};

/** Rows of parameters are numbers by name. */
export const inferRows = (): void => {
	const rows = randomParameters({alpha: [0, 1], N: [1000]}, 20, 'seed');
	holds<Equal<typeof rows, TaskList<{alpha: number; N: number}>>>();
	// @ts-expect-error bounds are numbers
	randomParameters({alpha: ['0', '1']}, 20, 1);
	// @ts-expect-error an experiment without a seed can't be repeated
	randomParameters({alpha: [0, 1]}, 20);
	holds<Equal<ReturnType<typeof randomStream>, () => number>>();
};

/** Both are tasks for every way to map. */
export const mapThem = async (): Promise<void> => {
	const pool = new Pool();
	const products = await pool.map(({delta, epsilon}) => delta * epsilon, grid({delta: [1, 2], epsilon: [3, 4]}));
	holds<Equal<typeof products, number[]>>();
	const sums = await pool.map(({alpha, N}) => alpha + N, randomParameters({alpha: [0, 1], N: [1000]}, 20, 1));
	holds<Equal<typeof sums, number[]>>();
	// @ts-expect-error the grid has no such axis
	await pool.map(({rho}: {rho: number}) => rho, grid({delta: [1, 2]}));
};
