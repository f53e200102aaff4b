/** Writes the outcomes of this attempt: `.part` as long as it grows (`.start` when there will be none), `.out` by rename once it is whole and on the disk. */
import {closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeSync} from 'node:fs';
import {hostname} from 'node:os';
import {attemptPath} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {UnserialisableError} from '../unserialisable.js';
import {createBlockFileEncoder, type OutputRange, type TaskFailure} from '../v8-serialize-helpers.js';
import type {ChunkId} from './chunk-id.js';
import type {OutcomesTrailer} from './outcomes-trailer.js';
import type {Tasks} from './tasks-file.js';

export type OutcomeFile = {
	readonly addValue: (value: unknown, startedAt: number, elapsedMs: number, output: OutputRange | undefined) => void;
	readonly addFailure: (failure: TaskFailure, startedAt: number, elapsedMs: number, output: OutputRange | undefined) => void;
	/** Turns an outcome that is not on the disk yet into a failure; false when it is there already. */
	readonly replaceWithFailure: (index: number, failure: TaskFailure) => boolean;
	readonly isBlockFull: () => boolean;
	readonly writeBlock: () => void;
	readonly finish: (trailer: Omit<OutcomesTrailer, 'sources'>) => void;
};

export const createOutcomeFile = (
	{workDir, ichunk, attempt}: ChunkId,
	manifest: Manifest,
	{firstTask, numTasks}: Tasks,
	grownAs: 'part' | 'start',
): OutcomeFile => {
	const source = {attempt, host: hostname(), ...jobIdFromEnvironment()};
	const encoder = createBlockFileEncoder({
		kind: 'outcomes',
		format: 1,
		node: process.version,
		session: manifest.session,
		ichunk,
		firstTask,
		numTasks,
		...source,
		pid: process.pid,
		writtenAt: new Date().toISOString(),
	});
	const part = attemptPath(workDir, ichunk, attempt, grownAs);
	// Exclusively: attempts never share a file.
	const fd = openSync(part, 'wx', 0o600);
	fchmodSync(fd, 0o600);
	writeAll(fd, [encoder.begin()]);

	const writeBlock = (): void => {
		const block = encoder.takeBlock();
		if (block !== undefined) writeAll(fd, block);
	};
	return {
		addValue: (value, startedAt, elapsedMs, output) => {
			try {
				encoder.addValue(value, startedAt, elapsedMs, output);
			} catch (error) {
				if (!(error instanceof UnserialisableError)) throw error;
				const failure: TaskFailure = {kind: 'result-unserialisable', message: `returned what can't be written to a file: ${error.message}`};
				encoder.addFailure(failure, startedAt, elapsedMs, output);
			}
		},
		addFailure: encoder.addFailure,
		replaceWithFailure: encoder.replaceWithFailure,
		isBlockFull: encoder.isFull,
		writeBlock,
		finish: trailer => {
			writeBlock();
			writeAll(fd, encoder.end({...trailer, sources: [source]} satisfies OutcomesTrailer));
			fsyncSync(fd);
			closeSync(fd);
			renameSync(part, attemptPath(workDir, ichunk, attempt, 'out'));
		},
	};
};

/** For people; the process-node goes by the number that qsub told. */
const jobIdFromEnvironment = (): {jobId?: string} => {
	const jobId = process.env.JOB_ID ?? process.env.SLURM_JOB_ID;
	return jobId === undefined ? {} : {jobId};
};

const writeAll = (fd: number, buffers: readonly Buffer[]): void => {
	for (const buffer of buffers) {
		let done = 0;
		while (done < buffer.length) done += writeSync(fd, buffer, done);
	}
};
