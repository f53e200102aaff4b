/** The promises, held against the truth. */
import type {Chunk} from '../../src/chunks.js';
import type {TaskErrorKind} from '../../src/errors.js';
import {JOURNAL} from '../../src/layout.js';
import type {Outcome} from '../../src/outcome.js';
import {isByFrozen} from './check-submission.js';
import type {Cluster} from './cluster.js';
import type {FileViews} from './file-views.js';
import type {Job} from './job.js';
import type {ChunkProgress, Ledger} from './ledger.js';
import type {MapProcess, ProcessEnd} from './process-node.js';
import type {SimTask} from './scenario.js';
import {taskValue} from './sim-worker.js';
import {EPOCH_MS, type World} from './world.js';

/** What accounting says sooner than this is heard. */
const MAX_PROMPT_MS = 3000;

export type Truth = {
	readonly session: string;
	readonly chunks: readonly Chunk[];
	readonly cluster: Cluster;
	readonly ledger: Ledger;
	readonly views: FileViews;
};

/** Every task has exactly one outcome, and the right one. */
export const checkEnd = async (world: World, truth: Truth, last: MapProcess, outcomes: readonly Outcome<unknown>[]): Promise<void> => {
	const {tasks} = world.scenario;
	if (outcomes.length !== tasks.length) world.offend('every task has an outcome', `${outcomes.length} of ${tasks.length}`);
	const decidedMs = findDecisions(world);
	for (const chunk of truth.chunks) {
		for (let index = 0; index < chunk.numTasks; index++) {
			const itask = chunk.firstTask + index;
			const outcome = outcomes[itask];
			if (outcome === undefined) world.offend('every task has an outcome', `task ${itask} has none`);
			else await checkOutcome(world, truth, chunk, index, outcome, decidedMs.get(chunk.ichunk) ?? world.events.nowMs(), last);
		}
	}
	if (world.disk.isRemoved() && outcomes.some(outcome => outcome?.status !== 'fulfilled')) {
		world.offend('the work_dir is kept when a task failed', 'it is removed');
	}
};

const checkOutcome = async (
	world: World,
	{cluster, ledger, views}: Truth,
	chunk: Chunk,
	index: number,
	outcome: Outcome<unknown>,
	decidedMs: number,
	last: MapProcess,
): Promise<void> => {
	const itask = chunk.firstTask + index;
	const {behaviour} = world.scenario.tasks[itask] as SimTask;
	if (outcome.status === 'fulfilled') {
		const isRight = behaviour !== 'throws' && JSON.stringify(outcome.value) === JSON.stringify(taskValue(itask));
		if (!isRight) world.offend('the value of a task is what it returned', `task ${itask}: ${JSON.stringify(outcome.value)}`);
		return;
	}
	const {kind} = outcome.reason;
	if (kind === 'exception') {
		if (behaviour !== 'throws') world.offend('a task fails only for a reason that there was', `task ${itask}: ${outcome.reason.message}`);
		return;
	}
	const {maxNamesLagMs, maxContentLagMs, maxHiddenMs} = world.scenario;
	const asOfMs = decidedMs - maxNamesLagMs - maxContentLagMs - maxHiddenMs;
	const readers = [last.process, ...ledger.holdsAt(chunk.ichunk).flatMap(({job}) => (job.process === undefined ? [] : [job.process]))];
	const isDeceived = readers.some(views.wasDeceived);
	// A worker that gives a task up for its dead attempts makes progress by that.
	const isOfWorker = (await ledger.outcomeAt(chunk.ichunk, index, world.events.nowMs())) === 'failure';
	// The process-node may have seen what is new, or not.
	const isUnclear = isOfWorker || isDeceived || ledger.hasDamage(chunk.ichunk);
	const known = isUnclear
		? [undefined]
		: [await ledger.progressAt(chunk.ichunk, asOfMs), await ledger.progressAt(chunk.ichunk, world.events.nowMs())];
	const reasons = known.map(progress => refute(world, {cluster, ledger}, chunk, kind, progress));
	const why = reasons.find(reason => reason !== undefined);
	if (why !== undefined && !reasons.includes(undefined)) {
		world.offend('a task fails only for a reason that there was', `task ${itask}: ${outcome.reason.message} (${kind}): ${why}`);
	}
	if (isDeceived) return;
	if ((await ledger.outcomeAt(chunk.ichunk, index, asOfMs)) === 'value') {
		world.offend('no finished work is lost', `task ${itask}: ${outcome.reason.message} (${kind})`);
	}
};

/**
 * Why a failure of this kind can't be; undefined when it can.
 *
 * @param progress - How far the chunk came; undefined when that does not matter.
 */
const refute = (
	world: World,
	{cluster, ledger}: Pick<Truth, 'cluster' | 'ledger'>,
	{ichunk}: Chunk,
	kind: TaskErrorKind,
	progress: ChunkProgress | undefined,
): string | undefined => {
	const {options, rates, diskFull, ioErrors} = world.scenario;
	// Another process has removed it, and could not write that down.
	const isUnnoted = ({deletedBy}: Job): boolean => deletedBy === 'us' && diskFull.length + ioErrors.length > 0;
	const holds = ledger.holdsAt(ichunk);
	// What nobody has claimed is deleted with all that could have.
	const jobs = holds.length === 0 && options.numJobs !== undefined ? cluster.jobs() : holds.map(({job}) => job);
	switch (kind) {
		case 'deleted':
			// Of a queue-job that ended before it left a file, and of which no accounting tells in time, nobody can know that it ran.
			return jobs.some(
				job => job.deletedBy === 'somebody' || isUnnoted(job) || (!job.hasFiles && job.explainedMs - job.endedMs > MAX_PROMPT_MS),
			)
				? undefined
				: 'nobody has deleted it';
		case 'pending-limit':
			return options.pendingLimitMs < Number.POSITIVE_INFINITY ? undefined : 'there is no limit';
		case 'cancelled':
			return options.stopOnError ? undefined : 'nobody has cancelled it';
		case 'lost':
		case 'killed':
		case 'out-of-memory':
		case 'wall-time':
		case 'node-lost':
		case 'start-failed':
		case 'error-state':
		case 'result-unreadable':
			if (rates['error-state-permanent'] > 0) return undefined;
			if (holds.length <= options.maxNumResubmissions) return `it had ${holds.length} attempts only`;
			if (progress === undefined || options.maxNumResubmissions === 0 || progress.numBegins > options.maxNumResubmissions) return undefined;
			return holds.filter(({hold}) => hold.attempt > progress.lastAttempt).length > options.maxNumResubmissions
				? undefined
				: `it had ${holds.length} attempts, but the one numbered ${progress.lastAttempt} had finished a task`;
		default:
			return 'the simulation knows no such fault';
	}
};

/** When each chunk was given up, as the journal tells. */
const findDecisions = ({disk}: World): Map<number, number> => {
	const decidedMs = new Map<number, number>();
	for (const line of journalLines(disk)) {
		try {
			const event = JSON.parse(line) as {event?: string; ichunk?: number; time?: string};
			if (event.event === 'chunk-failed' && event.ichunk !== undefined)
				decidedMs.set(event.ichunk, Date.parse(event.time ?? '') - EPOCH_MS);
		} catch {
			// Held by another check.
		}
	}
	return decidedMs;
};

const journalLines = (disk: World['disk']): string[] => {
	const file = disk.all().find(({name}) => name === JOURNAL);
	return file === undefined ? [] : disk.bytesOf(file).toString().split('\n');
};

/** Every line is JSON, but for those that a crash or a full disk has torn off: and these are alone on theirs. */
export const checkJournal = (world: World): void => {
	for (const line of journalLines(world.disk)) {
		try {
			if (line !== '') JSON.parse(line);
		} catch {
			// A whole line that was written behind a torn one would be lost with it.
			// Two that write at once are held apart by nothing but the owner's number in their lines.
			const hasRivals = world.scenario.rates['second-process'] > 0 || world.scenario.rates['process-frozen'] > 0;
			if (hasRivals) continue;
			if (line.endsWith('}') && line.indexOf('{"time"', 1) > 0) world.offend('every line of the log is valid JSON', line);
			else if (!world.scenario.diskFull.length && !hasTears(world)) world.offend('every line of the log is valid JSON', line);
		}
	}
};

const hasTears = ({scenario}: World): boolean => scenario.rates['process-killed'] > 0 || scenario.rates['process-host-crashed'] > 0;

/** Once the queue has caught up none of ours is left, but what is being deleted on a silent node. */
export const checkQueue = (world: World, cluster: Cluster, last: MapProcess): void => {
	if (last.told.some(line => line.includes('may be left'))) return;
	for (const job of cluster.jobs()) {
		// On a silent node it is being deleted, or has ended without the queue's knowing.
		if (job.state === 'ended' || isByFrozen(job, world) || (job.node?.cutMs !== undefined && (job.isDeleting || job.isEndUnheard)))
			continue;
		world.offend(
			'no queue-job of ours is left in the end',
			`job ${job.id} (attempt ${job.attempt} at chunk ${job.ichunk}) is ${job.state}`,
		);
	}
};

/** Resume is idempotent. */
export const checkSameOutcomes = (
	world: World,
	truth: Truth,
	last: MapProcess,
	before: readonly Outcome<unknown>[],
	again: ProcessEnd,
	numSubmitted: number,
): void => {
	// How it ended could not be written down, and its owner was told so.
	if (last.told.some(line => line.includes("can't be removed"))) return;
	// What was cancelled is gone on with.
	const hasCancelled = before.some(outcome => outcome?.status === 'rejected' && outcome.reason.kind === 'cancelled');
	if (numSubmitted > 0 && !hasCancelled) world.offend('resuming a finished map submits nothing', `it submitted ${numSubmitted}`);
	const promise = 'resuming a finished map gives the same outcomes';
	if (again.kind !== 'complete') {
		world.offend(promise, `it ended as ${JSON.stringify(again)}`);
		return;
	}
	const show = (outcome: Outcome<unknown> | undefined): string =>
		outcome?.status === 'fulfilled' ? JSON.stringify(outcome.value) : (outcome?.reason.kind ?? 'none');
	for (const [itask, outcome] of before.entries()) {
		// What was read before it was damaged can't be read again.
		const chunk = truth.chunks.findLast(({firstTask}) => firstTask <= itask);
		if (chunk !== undefined && truth.ledger.hasDamage(chunk.ichunk)) continue;
		if (outcome?.status === 'rejected' && outcome.reason.kind === 'cancelled') continue;
		const [was, is] = [show(outcome), show(again.outcomes[itask])];
		// A queue-job that could not be stopped has finished the task after all.
		if (outcome?.status === 'rejected' && (is === 'exception' || is === JSON.stringify(taskValue(itask)))) continue;
		// It was decided by what was wrong to see for a while: the worker knew more.
		if (outcome?.status === 'rejected' && truth.views.wasDeceived(last.process)) continue;
		if (was !== is) world.offend(promise, `task ${itask}: ${is}, not ${was}`);
	}
};
