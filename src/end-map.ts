/** How a map ends: no queue-job is left behind, every task has its outcome, and the work_dir is removed or its owner told why not. */
import {isForeign} from './check-engine.js';
import type {JobStatus} from './engines/engine.js';
import {andCancelled} from './group-failures.js';
import {jobKey, parseJobName} from './layout.js';
import {type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';
import {shellWord} from './quote-for-shell.js';
import type {Reducer} from './reduce.js';
import {findStrangers} from './remove-jobs.js';
import {removeWorkDir, type WorkDirPlace} from './work-dir.js';

/**
 * Why a map ends before its time. `cancel` removes its queue-jobs; `detach` leaves them running; `deposed`: they are another process's now.
 */
export type Stop = {readonly kind: 'cancel' | 'detach' | 'deposed'; readonly reason: unknown};

/** Ends a map whose tasks all have their outcome, or that was stopped at a failure. What fails here is told; the results are not given up for it. */
export const concludeMap = async (
	state: MapState,
	ports: Ports,
	reducer: Reducer,
	{
		place,
		keepWorkDir,
		whyKeep,
	}: {
		readonly place: WorkDirPlace;
		readonly keepWorkDir: boolean;
		readonly whyKeep?: (() => string | undefined) | undefined;
	},
): Promise<void> => {
	const left = await endRest(state, ports, reducer);
	tellNotices(reducer.notices(), ports);
	const counts = endCounts(reducer);
	const message = `${reducer.counts().done} of ${counts.numTasks} tasks have a result`;
	state.journal.note({event: 'ended', ...counts, message});
	try {
		await state.journal.flush({durable: false});
		const reason = whyKept(state, left, reducer, {place, keepWorkDir}) ?? whyKeep?.();
		if (reason === undefined) {
			// A heartbeat would put its file back into a directory that is being removed.
			await state.owner.rest();
			await removeWorkDir(place, ports.files);
			return;
		}
		ports.tell(`queue-map-reduce: the work_dir is kept, for ${reason}: ${state.workDir}`);
		await state.owner.release();
	} catch (error) {
		ports.tell(`queue-map-reduce: the work_dir is kept, for it can't be removed (${(error as Error).message}): ${state.workDir}`);
		// Its heartbeat would keep this process from ending, and every other from going on.
		await state.owner.release().catch(() => undefined);
	}
};

/**
 * Gives what is left after the failure that has ended a map its outcome; removes all queue-jobs that may be there in any case.
 *
 * @returns Why a queue-job may be left; undefined when none is.
 */
export const endRest = async (state: MapState, ports: Pick<Ports, 'engine' | 'tell'>, reducer: Reducer): Promise<string | undefined> => {
	const left = await removeQueueJobs(state, ports);
	await cancelRest(state, reducer, 'cancelled, for another task failed and `stopOnError` is set');
	return left;
};

/** Every host may say the same in its own words. */
const MAX_TOLD_NOTICES = 3;

const tellNotices = (notices: readonly string[], {tell}: Pick<Ports, 'tell'>): void => {
	if (notices.length === 0) return;
	const numMore = notices.length - MAX_TOLD_NOTICES;
	const more = numMore > 0 ? `; and ${numMore} more like that` : '';
	tell(`queue-map-reduce: workers warn: ${notices.slice(0, MAX_TOLD_NOTICES).join('; ')}${more}`);
};

/** Ends a map before its time. Whatever fails here is told, and does not hide why it was ended. */
export const stopMap = async (state: MapState, ports: Ports, reducer: Reducer, {kind, reason}: Stop): Promise<void> => {
	const {workDir, owner, journal} = state;
	if (kind === 'deposed') {
		// From here on the files of the map are the next owner's.
		await owner.rest();
		ports.tell(`queue-map-reduce: another process has taken over ${workDir}: this one leaves it alone`);
		return;
	}
	const why = reason instanceof Error ? reason.message : String(reason);
	// Child processes of this machine can't go on without this process.
	const isLeaving = kind === 'detach' && ports.engine.outlivesProcess;
	const {done, failed} = reducer.counts();
	if (!isLeaving) {
		await removeQueueJobs(state, ports);
		await cancelRest(state, reducer, `cancelled, for the map was ended: ${why}`);
	}
	if (isLeaving) journal.note({event: 'detached', reason: why});
	else journal.note({event: 'ended', ...endCounts(reducer), reason: why});
	await journal.flush({durable: false}).catch(error => {
		ports.tell(`queue-map-reduce: ${workDir}/log.jsonl can't be written: ${(error as Error).message}`);
	});
	await owner.release().catch(() => undefined);
	const what = isLeaving ? 'the map was left, its queue-jobs go on' : 'the map was ended, its work_dir is kept';
	ports.tell(
		`queue-map-reduce: ${what} (${done + failed} tasks are finished): ${workDir}\nqueue-map-reduce: to go on: ${howToGoOn(workDir, ports.engine.name)}`,
	);
};

/** What to write in a program, or to type, to go on with a map. An engine that is none of this library has to be given again, which only a program can. */
export const howToGoOn = (workDir: string, engine: string | undefined): string => {
	const isBrought = engine !== undefined && isForeign(engine);
	const call = `await Pool.resume(${JSON.stringify(workDir)}${isBrought ? ', {engine}' : ''})`;
	return isBrought ? call : `${call}, or qmr resume ${shellWord(workDir)}`;
};

/** A removal may fail, and a queue that was told of a job may list it a moment later: so often the queue is asked whether any is left. */
const MAX_SWEEPS = 3;

/**
 * Removes the queue-jobs of chunks that are not decided, and every other of this map that may still be in the queue.
 *
 * @returns Why a queue-job may be left; undefined when none is.
 */
export const removeQueueJobs = async (state: MapState, {engine, tell}: Pick<Ports, 'engine' | 'tell'>): Promise<string | undefined> => {
	try {
		const toRemove = openChunks(state).flatMap(({chunk, attempts}) =>
			attempts.flatMap(({jobId, attempt, isRemoved}) => (jobId === undefined || isRemoved ? [] : [{ichunk: chunk.ichunk, attempt, jobId}])),
		);
		const claimants = findClaimants(state);
		const wanted = new Set([...state.unremoved, ...toRemove.map(({jobId}) => jobId), ...claimants.keys()]);
		const strangers = await findStrangers(state, wanted, engine);
		const ids = [...wanted].filter(id => !strangers.has(id));
		if (ids.length > 0) await engine.remove(ids).catch(() => engine.remove(ids));
		// Not before the queue has heard of it: whoever goes on with the map adopts what may still be there.
		for (const job of toRemove) if (!strangers.has(job.jobId)) state.journal.note({event: 'deleted', ...job});
		for (const [jobId, job] of claimants) if (!strangers.has(jobId)) state.journal.note({event: 'deleted', jobId, ...job});
		// A queue ends by itself what has brought its result; of child processes none is to be left when the map returns.
		if (!engine.outlivesProcess) await engine.remove(state.chunks.flatMap(({attempts}) => attempts.flatMap(({jobId}) => jobId ?? [])));
		if (ids.length > 0 || state.needsSweep) await sweep(state, engine);
		return undefined;
	} catch (error) {
		const left = `queue-jobs named q${state.session}#… may be left in the queue: ${(error as Error).message}`;
		state.journal.note({event: 'warning', reason: left});
		tell(`queue-map-reduce: ${left}`);
		return left;
	}
};

/** With dynamic chunks any queue-job may be about to claim one that is left, also when all that it has is done. By their numbers what they were submitted for. */
const findClaimants = (state: MapState): Map<string, {readonly ichunk: number; readonly attempt: number}> => {
	if (!isAnyLeft(state)) return new Map();
	return new Map(
		state.chunks.flatMap(({chunk: {ichunk}, attempts}) =>
			attempts.flatMap(({jobId, attempt, home, isRemoved}) =>
				jobId === undefined || home !== undefined || isRemoved ? [] : [[jobId, {ichunk, attempt}] as const],
			),
		),
	);
};

const isAnyLeft = (state: MapState): boolean => state.options.numJobs !== undefined && openChunks(state).length > 0;

const sweep = async (state: MapState, engine: Ports['engine']): Promise<void> => {
	const isOurs = createOwnership(state);
	for (let round = 0; ; round++) {
		const strays = (await engine.status()).filter(job => job.state !== 'deleting' && isOurs(job));
		if (strays.length === 0) return;
		if (round === MAX_SWEEPS) throw new Error(`${strays.map(({id}) => id).join(', ')} could not be removed`);
		await engine.remove(strays.map(({id}) => id));
		for (const stray of strays) state.journal.note({event: 'deleted', ...whose(state, stray), reason: 'still in the queue'});
	}
};

const whose = (
	{session}: MapState,
	{id: jobId, name: jobName, element = 1}: JobStatus,
): {readonly jobId: string; readonly jobName: string; readonly ichunk?: number; readonly attempt?: number} => {
	const parts = parseJobName(session, jobName);
	return {...(parts && {ichunk: parts.first + element - 1, attempt: parts.attempt}), jobId, jobName};
};

/**
 * Ours is what has a name and a number that we know to belong together, or the name of a submission that was never answered: whatever else is called like
 * one of ours is somebody's. What has brought a result that counts is left out: it is about to leave the queue by itself.
 */
const createOwnership = (state: MapState): ((job: JobStatus) => boolean) => {
	const nameOfId = new Map<string, string>();
	const unanswered = new Set<string>();
	const mayClaim = isAnyLeft(state);
	for (const {attempts, decision} of state.chunks) {
		for (const {attempt, jobId, jobName, element} of attempts) {
			if (jobId === undefined) unanswered.add(jobKey(jobName, element));
			else if (mayClaim || decision.kind !== 'done' || decision.attempt !== attempt) nameOfId.set(jobId, jobName);
		}
	}
	return ({id, name, element}) => nameOfId.get(id) === name || unanswered.has(jobKey(name, element));
};

/** The chunks that are not done have their outcome, too. */
const cancelRest = async (state: MapState, reducer: Reducer, reason: string): Promise<void> => {
	for (const chunk of openChunks(state)) {
		const numCancelled = await reducer.fail(chunk.chunk, chunk.attempts, {kind: 'cancelled', reason});
		// Not before its outcomes are there: whoever waits for them takes them as soon as it is decided.
		chunk.decision = {kind: 'failed', attempt: chunk.attempts.at(-1)?.attempt ?? 0};
		const {ichunk} = chunk.chunk;
		const numFailed = reducer.numFailedIn(ichunk);
		state.journal.note({event: 'chunk-failed', ichunk, kind: 'cancelled', reason, numFailed, ...cancelledOf(numCancelled)});
	}
};

/** In the journal cancelled tasks are counted among those that have failed, and again by themselves. */
const endCounts = (reducer: Reducer): {readonly numTasks: number; readonly numFailed: number; readonly numCancelled?: number} => {
	const {done, failed, cancelled} = reducer.counts();
	return {numTasks: done + failed + cancelled, numFailed: failed + cancelled, ...cancelledOf(cancelled)};
};

const cancelledOf = (numCancelled: number): {readonly numCancelled?: number} => (numCancelled === 0 ? {} : {numCancelled});

const whyKept = (
	{firstMissing}: MapState,
	left: string | undefined,
	reducer: Reducer,
	{place, keepWorkDir}: {readonly place: WorkDirPlace; readonly keepWorkDir: boolean},
): string | undefined => {
	const {failed, cancelled} = reducer.counts();
	if (failed + cancelled > 0) return `${failed === 1 ? 'a task' : `${failed} tasks`} failed${andCancelled(cancelled)}`;
	if (firstMissing !== undefined) return `its tasks were never all written: task ${firstMissing} is the first that is missing`;
	if (left !== undefined) return left;
	if (place.partOf !== undefined) return `it is a part of ${place.partOf}`;
	if (reducer.hasStderr()) return 'a task wrote to stderr';
	return keepWorkDir ? '`keepWorkDir` is set' : undefined;
};
