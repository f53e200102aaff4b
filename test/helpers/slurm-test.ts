/** What every test of faults on Slurm begins and ends with. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, vi} from 'vitest';
import {createTestDirectory, poolOptions} from './engines.js';
import {createEnding, type Ending, untilNoted} from './grid-engine.js';
import {processesWith} from './processes.js';
import {untilGone} from './slurm.js';

export type SlurmTest = {
	directory: string;
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

/** To be called at the top of a test file; filled anew for each test. */
export const prepareSlurmTests = (options: PoolOptions = {}): SlurmTest => {
	const prepared: Partial<SlurmTest> = {};
	let remove: () => void;
	const all: SlurmTest = Object.assign(prepared as SlurmTest, {
		jobIdOf: async (ichunk: number, attempt = 1) => {
			const isMeant = (line: {event: string; ichunk?: number; attempt?: number}): boolean =>
				line.event === 'submitted' && line.ichunk === ichunk && line.attempt === attempt;
			return (await untilNoted(all.workDir, isMeant)).jobId as string;
		},
		untilNothingIsLeft: async () => {
			const {session} = (await readWorkDir(all.workDir)).manifest;
			await untilGone(({name}) => name.includes(session));
		},
	});
	beforeEach(() => {
		const made = createTestDirectory();
		remove = made.remove;
		all.directory = made.path;
		all.workDir = join(made.path, 'the work_dir');
		all.begun = join(made.path, 'begun');
		all.until = join(made.path, 'until');
		all.ending = createEnding();
		all.said = '';
		const {signal} = all.ending;
		all.pool = new Pool({...poolOptions('slurm', made.path), workDir: all.workDir, keepWorkDir: true, signal, ...options});
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
