/** What every test of faults on a real scheduler begins and ends with. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, vi} from 'vitest';
import {createTestDirectory, poolOptions} from './engines.js';
import {createEnding, type Ending, listJobs as listJobsOfGridEngine, untilNoted} from './grid-engine.js';
import {processesWith} from './processes.js';
import {listJobs as listJobsOfSlurm} from './slurm.js';

export type QueueTest = {
	directory: string;
	/** In a directory of its own, for tests that look at what else is there. */
	workDir: string;
	/** For tasks of test/fixtures/faulty.mjs. */
	begun: string;
	until: string;
	pool: Pool;
	ending: Ending;
	/** What was said on stderr. */
	said: string;
	/** The id of the first queue-job of a chunk, once it is submitted. */
	readonly jobIdOf: (ichunk: number, attempt?: number) => Promise<string>;
	/** Waits until no queue-job of this map is in the queue. */
	readonly untilNothingIsLeft: () => Promise<void>;
};

const LISTS = {'grid-engine': listJobsOfGridEngine, slurm: listJobsOfSlurm} as const;

/** To be called at the top of a test file; filled anew for each test. */
export const prepareQueueTests = (engine: keyof typeof LISTS, options: PoolOptions = {}): QueueTest => {
	const prepared: Partial<QueueTest> = {};
	let remove: () => void;
	const all: QueueTest = Object.assign(prepared as QueueTest, {
		jobIdOf: async (ichunk: number, attempt = 1) => {
			const isMeant = (line: {event: string; ichunk?: number; attempt?: number}): boolean =>
				line.event === 'submitted' && line.ichunk === ichunk && line.attempt === attempt;
			return (await untilNoted(all.workDir, isMeant)).jobId as string;
		},
		untilNothingIsLeft: async () => {
			const {session} = (await readWorkDir(all.workDir)).manifest;
			await vi.waitFor(
				async () => {
					const left = (await LISTS[engine]()).filter(({name}) => name.includes(session));
					if (left.length > 0) throw new Error(`still in the queue: ${JSON.stringify(left)}`);
				},
				{timeout: 90_000, interval: 500},
			);
		},
	});
	beforeEach(() => {
		const made = createTestDirectory();
		remove = made.remove;
		all.directory = made.path;
		all.workDir = join(made.path, 'maps', 'the work_dir');
		mkdirSync(join(made.path, 'maps'));
		all.begun = join(made.path, 'begun');
		all.until = join(made.path, 'until');
		all.ending = createEnding();
		all.said = '';
		const {signal} = all.ending;
		all.pool = new Pool({...poolOptions(engine, made.path), workDir: all.workDir, keepWorkDir: true, signal, ...options});
		vi.spyOn(process.stderr, 'write').mockImplementation(text => {
			all.said += String(text);
			return true;
		});
	});
	afterEach(async () => {
		writeFileSync(all.until, '');
		await all.ending.end();
		await vi.waitUntil(() => processesWith(all.workDir).length === 0, {timeout: 60_000, interval: 200});
		vi.restoreAllMocks();
		remove();
	});
	return all;
};
