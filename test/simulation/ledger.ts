/** The truth about every task: when it was begun by whom, and what of it could be known. Holds the promises about workers as they run. */
import {chunkName} from '../../src/layout.js';
import {type PartScan, readBlocks, scanPart} from '../../src/scan-part.js';
import type {ByteSource} from '../../src/v8-serialize-helpers.js';
import type {Cluster} from './cluster.js';
import type {DiskFile} from './disk.js';
import type {FileViews} from './file-views.js';
import type {Job} from './job.js';
import type {SimProcess} from './sim-process.js';
import type {World} from './world.js';

export type Ledger = {
	/** A worker is about to look at what earlier attempts have left. */
	readonly onStart: (job: Job) => Promise<void>;
	/** A worker begins a task. `index`: in its chunk. */
	readonly onBegin: (job: Job, process: SimProcess, index: number, itask: number) => void;
	readonly numBegins: (itask: number) => number;
	/** What was in any file of its chunk about a task, as they were then. */
	/** Whether any of its files is damaged. */
	readonly hasDamage: (ichunk: number) => boolean;
	readonly outcomeAt: (ichunk: number, index: number, asOfMs: number) => Promise<'value' | 'failure' | 'none'>;
	/** How far a chunk came, as its files were then. */
	readonly progressAt: (ichunk: number, asOfMs: number) => Promise<ChunkProgress>;
	/** Whether an attempt has a result on the disk, be it damaged. */
	readonly hasAnyResult: (job: Job) => boolean;
	/** Whether an attempt has a whole result on the disk that is what its worker wrote. */
	readonly hasWholeResult: (job: Job) => boolean;
};

export type ChunkProgress = {
	/** The last attempt that has finished a task; 0 for none. */
	readonly lastAttempt: number;
	/** How many attempts may have begun the first task that is not finished. */
	readonly numBegins: number;
};

/** What a worker can know of earlier attempts when it starts. */
type Known = {readonly numFinished: number; readonly marks: readonly {attempt: number; finished: number; begunUpTo: number}[]};

export const createLedger = (world: World, session: string, views: FileViews, cluster: () => Cluster): Ledger => {
	const {disk, scenario, events} = world;
	const known = new Map<Job, Known>();
	const begins = new Map<number, number>();

	const filesOf = (ichunk: number): {file: DiskFile; attempt: number}[] =>
		disk.all().flatMap(file => {
			const match = /^(\d+)\.(\d+)\.part$/.exec(file.name);
			return match?.[1] === chunkName(ichunk) ? [{file, attempt: Number(match[2])}] : [];
		});

	const scanAt = async (file: DiskFile, ichunk: number, asOfMs: number): Promise<PartScan | undefined> => {
		const length = file.lengths.findLast(({fromMs}) => fromMs <= asOfMs)?.length ?? 0;
		return scanPart(sourceOf(file, Math.min(length, file.length)), {session, ichunk}).catch(() => undefined);
	};

	return {
		onStart: async job => {
			if (job.attempt === 1) return;
			const asOfMs = events.nowMs() - scenario.maxNamesLagMs - scenario.maxContentLagMs;
			let numFinished = 0;
			const marks: {attempt: number; finished: number; begunUpTo: number}[] = [];
			for (const {file, attempt} of filesOf(job.ichunk)) {
				if (attempt >= job.attempt) continue;
				const scan = await scanAt(file, job.ichunk, asOfMs);
				if (scan === undefined) continue;
				numFinished = Math.max(numFinished, scan.numFinished);
				if (scan.mark !== undefined) marks.push({attempt, ...scan.mark});
			}
			known.set(job, {numFinished, marks});
		},
		onBegin: (job, process, index, itask) => {
			begins.set(itask, (begins.get(itask) ?? 0) + 1);
			world.trace(process.name, `begins task ${itask}`);
			if (views.wasDeceived(process)) return;
			const {numFinished, marks} = known.get(job) ?? {numFinished: 0, marks: []};
			if (index < numFinished) {
				world.offend('no finished work is computed again', `task ${itask} by attempt ${job.attempt} at chunk ${job.ichunk}`);
			}
			// What an unreachable node computes meanwhile is the price of not waiting for it.
			const isTwin = (attempt: number): boolean =>
				cluster()
					.jobs()
					.some(
						other =>
							other.ichunk === job.ichunk && other.attempt === attempt && (other.state !== 'ended' || other.endedMs > job.submittedMs),
					);
			const numKnown = marks.filter(({attempt, finished, begunUpTo}) => finished <= index && index < begunUpTo && !isTwin(attempt)).length;
			if (numKnown > scenario.options.maxNumResubmissions) {
				world.offend(
					'no task is begun more than 1 + maxNumResubmissions times',
					`task ${itask} by attempt ${job.attempt}, after ${numKnown} known begins, with maxNumResubmissions ${scenario.options.maxNumResubmissions}`,
				);
			}
		},
		numBegins: itask => begins.get(itask) ?? 0,
		hasDamage: ichunk => filesOf(ichunk).some(({file}) => file.isDamaged),
		outcomeAt: async (ichunk, index, asOfMs) => {
			let outcome: 'failure' | 'none' = 'none';
			for (const {file} of filesOf(ichunk)) {
				const scan = await scanAt(file, ichunk, asOfMs);
				const frame = scan?.frames.find(({first, count}) => first <= index && index < first + count);
				if (frame === undefined) continue;
				const [block] = await readBlocks(sourceOf(file, file.length), [frame]);
				if (block?.failures.has(index) === false) return 'value';
				outcome = 'failure';
			}
			return outcome;
		},
		progressAt: async (ichunk, asOfMs) => {
			let numFinished = 0;
			let lastAttempt = 0;
			const scans: PartScan[] = [];
			for (const {file, attempt} of filesOf(ichunk).sort((a, b) => a.attempt - b.attempt)) {
				const scan = await scanAt(file, ichunk, asOfMs);
				if (scan === undefined) continue;
				scans.push(scan);
				if (scan.numFinished <= numFinished) continue;
				numFinished = scan.numFinished;
				lastAttempt = attempt;
			}
			const hasBegun = ({mark, isDamaged}: PartScan): boolean =>
				isDamaged || (mark !== undefined && mark.finished <= numFinished && numFinished < mark.begunUpTo);
			return {lastAttempt, numBegins: scans.filter(hasBegun).length};
		},
		hasAnyResult: job =>
			['out', 'damaged'].some(kind => disk.find(`${chunkName(job.ichunk)}.${job.attempt}.${kind}`, '', events.nowMs()) !== undefined),
		hasWholeResult: job => {
			const file = disk.find(`${chunkName(job.ichunk)}.${job.attempt}.out`, '', events.nowMs());
			return file !== undefined && !job.hasStartFailed && !file.isDamaged && !file.hasLostTail;
		},
	};
};

const sourceOf = ({buffer}: DiskFile, size: number): ByteSource => ({
	size,
	read: async (position, length) => Buffer.from(buffer.subarray(position, Math.min(position + length, size))),
});
