/** The process-node's side of the round trip: watches the work_dir for what the worker-node makes, and answers it. */
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseChunkFile, taskDirPath} from '../layout.js';
import {realFiles} from '../ports.js';
import type {Sightings} from './compare-clocks.js';
import {ANSWER, GREETING} from './visit-worker-node.js';

export type Meeting = {
	/** Whether any file of the worker-node has been seen. */
	readonly hasSigns: () => boolean;
	/** Resolves when the signal is aborted and nothing is under way any more. */
	readonly ended: Promise<Pick<Sightings, 'greetingSeenMs' | 'answeredMs' | 'resultSeenMs'>>;
};

/** It is not a call over the network for most file systems, and what it measures is not known better than this. */
const LOOK_EVERY_MS = 20;

export const meetWorker = (workDir: string, signal: AbortSignal): Meeting => {
	let hasSigns = false;
	const watch = async (): Meeting['ended'] => {
		let seen: Awaited<Meeting['ended']> = {greetingSeenMs: undefined, answeredMs: undefined, resultSeenMs: undefined};
		const look = async (): Promise<void> => {
			const names = await list(workDir);
			const atMs = Date.now();
			const kinds = names.flatMap(name => parseChunkFile(name)?.kind ?? []);
			hasSigns ||= kinds.some(kind => kind !== 'tasks');
			if (kinds.includes('out')) seen = {...seen, resultSeenMs: seen.resultSeenMs ?? atMs};
			if (seen.greetingSeenMs !== undefined) return;
			// The first attempt at the first task.
			const taskDir = taskDirPath(workDir, 0, 1);
			if (!(await list(taskDir)).includes(GREETING)) return;
			seen = {...seen, greetingSeenMs: Date.now()};
			seen = {...seen, answeredMs: await answer(taskDir)};
		};
		while (!signal.aborted) {
			await look();
			await sleep(LOOK_EVERY_MS, undefined, {signal}).catch(() => undefined);
		}
		// The map may have seen the result a moment before.
		await look();
		return seen;
	};
	return {hasSigns: () => hasSigns, ended: watch()};
};

/** What can't be listed has nothing to see. */
const list = (directory: string): Promise<readonly string[]> => realFiles.list(directory).catch(() => []);

const answer = async (taskDir: string): Promise<number | undefined> => {
	try {
		await realFiles.create(join(taskDir, `${ANSWER}.new`), []);
		await realFiles.rename(join(taskDir, `${ANSWER}.new`), join(taskDir, ANSWER));
		return Date.now();
	} catch {
		// The worker-node says that it saw none.
		return undefined;
	}
};
