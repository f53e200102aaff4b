/** The truth about every task: when it was begun by whom, and what of it could be known. Holds the promises about workers as they run. */
import {basename} from 'node:path';
import {type PartScan, readBlocks, scanPart} from '../../src/block-file/scan-part.js';
import {parseClaim} from '../../src/claim-file.js';
import {chunkName, claimPath} from '../../src/layout.js';
import type {ByteSource} from '../../src/v8-serialize-helpers.js';
import type {Cluster} from './cluster.js';
import type {DiskFile} from './disk.js';
import type {FileViews} from './file-views.js';
import {createHold, type Hold, type Job} from './job.js';
import type {SimProcess} from './sim-process.js';
import type {World} from './world.js';

export type Ledger = {
	/** A worker is about to look at what earlier attempts have left. */
	readonly onStart: (job: Job, hold: Hold) => Promise<void>;
	/** A worker has claimed a chunk. */
	readonly onClaim: (job: Job, ichunk: number) => Hold;
	/** All attempts at a chunk, also those that were claimed by a worker that died before it could go on. */
	readonly holdsAt: (ichunk: number) => readonly {readonly job: Job; readonly hold: Hold}[];
	/** A worker begins a task. `index`: in its chunk. */
	readonly onBegin: (job: Job, hold: Hold, process: SimProcess, index: number, itask: number) => void;
	readonly numBegins: (itask: number) => number;
	/** What was in any file of its chunk about a task, as they were then. */
	/** Whether any of its files is damaged. */
	readonly hasDamage: (ichunk: number) => boolean;
	readonly outcomeAt: (ichunk: number, index: number, asOfMs: number) => Promise<'value' | 'failure' | 'none'>;
	/** How far a chunk came, as its files were then. */
	readonly progressAt: (ichunk: number, asOfMs: number) => Promise<ChunkProgress>;
	/** Whether an attempt has a result on the disk, be it damaged. */
	readonly hasAnyResult: (hold: Hold) => boolean;
	/** Whether an attempt has a whole result on the disk that is what its worker wrote. */
	readonly hasWholeResult: (job: Job, hold: Hold) => boolean;
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
	const known = new Map<Hold, Known>();
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

	const holdsAt: Ledger['holdsAt'] = ichunk => {
		const jobs = cluster().jobs();
		const held = jobs.flatMap(job => job.holds.flatMap(hold => (hold.ichunk === ichunk ? [{job, hold}] : [])));
		const file = disk.all().find(({name}) => name === basename(claimPath('', ichunk)));
		const home = file && parseClaim(disk.bytesOf(file).toString())?.home;
		const claimant = home && jobs.find(job => job.ichunk === home.ichunk && job.attempt === home.attempt);
		if (claimant !== undefined && !held.some(({job}) => job === claimant)) held.push({job: claimant, hold: createHold(ichunk, 1)});
		return held;
	};

	return {
		onClaim: (job, ichunk) => {
			world.trace(`job ${job.id}`, `claims chunk ${ichunk}`);
			const other = holdsAt(ichunk).find(held => held.hold.attempt === 1 && held.job !== job);
			if (other !== undefined) world.offend('no chunk is claimed by two', `chunk ${ichunk} by ${job.id} after ${other.job.id}`);
			const hold = createHold(ichunk, 1);
			job.holds.push(hold);
			return hold;
		},
		holdsAt,
		onStart: async (_job, hold) => {
			if (hold.attempt === 1) return;
			const asOfMs = events.nowMs() - scenario.maxNamesLagMs - scenario.maxContentLagMs;
			let numFinished = 0;
			const marks: {attempt: number; finished: number; begunUpTo: number}[] = [];
			for (const {file, attempt} of filesOf(hold.ichunk)) {
				if (attempt >= hold.attempt) continue;
				const scan = await scanAt(file, hold.ichunk, asOfMs);
				if (scan === undefined) continue;
				numFinished = Math.max(numFinished, scan.numFinished);
				if (scan.mark !== undefined) marks.push({attempt, ...scan.mark});
			}
			known.set(hold, {numFinished, marks});
		},
		onBegin: (job, hold, process, index, itask) => {
			begins.set(itask, (begins.get(itask) ?? 0) + 1);
			world.trace(process.name, `begins task ${itask}`);
			if (views.wasDeceived(process)) return;
			const {numFinished, marks} = known.get(hold) ?? {numFinished: 0, marks: []};
			if (index < numFinished) {
				world.offend('no finished work is computed again', `task ${itask} by attempt ${hold.attempt} at chunk ${hold.ichunk}`);
			}
			// What an unreachable node computes meanwhile is the price of not waiting for it.
			const isTwin = (attempt: number): boolean =>
				holdsAt(hold.ichunk).some(
					other => other.hold.attempt === attempt && (other.job.state !== 'ended' || other.job.endedMs > job.submittedMs),
				);
			const numKnown = marks.filter(({attempt, finished, begunUpTo}) => finished <= index && index < begunUpTo && !isTwin(attempt)).length;
			if (numKnown > scenario.options.maxNumResubmissions) {
				world.offend(
					'no task is begun more than 1 + maxNumResubmissions times',
					`task ${itask} by attempt ${hold.attempt}, after ${numKnown} known begins, with maxNumResubmissions ${scenario.options.maxNumResubmissions}`,
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
		hasAnyResult: hold =>
			['out', 'damaged'].some(kind => disk.find(`${chunkName(hold.ichunk)}.${hold.attempt}.${kind}`, '', events.nowMs()) !== undefined),
		hasWholeResult: (job, hold) => {
			const file = disk.find(`${chunkName(hold.ichunk)}.${hold.attempt}.out`, '', events.nowMs());
			return file !== undefined && !job.hasStartFailed && !file.isDamaged && !file.hasLostTail;
		},
	};
};

const sourceOf = ({buffer}: DiskFile, size: number): ByteSource => ({
	size,
	read: async (position, length) => Buffer.from(buffer.subarray(position, Math.min(position + length, size))),
});
