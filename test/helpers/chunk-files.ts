/** Files of tasks and of outcomes as workers and the process-node write them, made in memory. */
import {
	type BlockFileEncoder,
	createBlockFileEncoder,
	type FileHeader,
	type OutputRange,
	type TaskFailure,
} from '../../src/v8-serialize-helpers.js';
import type {OutcomesTrailer} from '../../src/worker/outcomes-trailer.js';

export const SESSION = '2026-11-21T00-20-07_a10cda';

export type Entry = ({readonly value: unknown} | {readonly failure: TaskFailure}) & {
	readonly output?: OutputRange;
	/** Nobody knows when it began. */
	readonly isUntimed?: boolean;
};

/** When the task with this index in its chunk was called. */
export const startedAtMs = (index: number): number => Date.UTC(2026, 10, 21, 0, 20, 7) + 1000 * index;

type Parts = {
	readonly header?: Partial<FileHeader>;
	readonly trailer?: Partial<OutcomesTrailer>;
	readonly maxEntries?: number;
	/** The attempt whose outcomes were taken over. */
	readonly by?: number;
};

export const encodeOutcomes = (entries: readonly Entry[], {header = {}, trailer = {}, maxEntries = 2, by}: Parts = {}): Buffer => {
	const create = (attempt: number): BlockFileEncoder =>
		createBlockFileEncoder(
			{
				kind: 'outcomes',
				format: 1,
				node: process.version,
				session: SESSION,
				ichunk: 0,
				firstTask: 0,
				numTasks: entries.length,
				host: 'node1',
				jobId: '937',
				pid: 4711,
				writtenAt: '2026-11-21T00:20:07.000Z',
				...header,
				attempt,
			},
			{maxEntries},
		);
	const own = header.attempt ?? 1;
	const encoder = create(own);
	const computed = by === undefined ? encoder : create(by);
	const pieces = [encoder.begin()];
	const take = (): void => {
		const block = computed.takeBlock() ?? [];
		pieces.push(...(by === undefined || block.length === 0 ? block : encoder.copyBlock(Buffer.concat(block))));
	};
	for (const [i, entry] of entries.entries()) {
		if ('value' in entry) computed.addValue(entry.value, startedAtMs(i), i + 0.5, entry.output);
		else
			computed.addFailure(entry.failure, entry.isUntimed ? undefined : startedAtMs(i), entry.isUntimed ? undefined : i + 0.5, entry.output);
		if (computed.isFull()) take();
	}
	take();
	const whole: OutcomesTrailer = {
		endedAt: '2026-11-21T00:21:00.000Z',
		stdoutBytes: 0,
		stderrBytes: 0,
		warnings: [],
		sources: [],
		...trailer,
	};
	return Buffer.concat([...pieces, ...encoder.end(whole)]);
};

export const encodeTasks = (tasks: readonly unknown[], header: Partial<FileHeader> = {}): Buffer => {
	const encoder = createBlockFileEncoder(
		{
			kind: 'tasks',
			format: 1,
			node: process.version,
			session: SESSION,
			ichunk: 0,
			firstTask: 0,
			numTasks: tasks.length,
			host: 'login',
			pid: 4711,
			writtenAt: '2026-11-21T00:20:07.000Z',
			...header,
		},
		{maxEntries: 2},
	);
	const pieces = [encoder.begin()];
	for (const task of tasks) {
		encoder.addValue(task);
		if (encoder.isFull()) pieces.push(...(encoder.takeBlock() ?? []));
	}
	return Buffer.concat([...pieces, ...(encoder.takeBlock() ?? []), ...encoder.end({})]);
};

export const exception = (message: string): TaskFailure => ({
	kind: 'exception',
	message: `RangeError: ${message}`,
	remote: {name: 'RangeError', message, stack: `RangeError: ${message}\n    at fn (/home/me/work.mjs:3:7)`, code: 'E_BOOM'},
});
