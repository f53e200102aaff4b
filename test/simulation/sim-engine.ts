/** The engine as a process-node sees it: every call takes time, and may fail in every way that the type allows. */
import type {ArrayRequest, Engine, JobRequest, JobStatus, SubmitOutcome} from '../../src/engines/engine.js';
import type {Cluster} from './cluster.js';
import {ELEMENT_VARIABLE, type Job} from './job.js';
import type {SimProcess} from './sim-process.js';
import {SECOND, type World} from './world.js';

/** A program that hangs is killed after so long, which is less than the grace time. */
const PROGRAM_TIMEOUT_MS: number = 20 * SECOND;

/** So often in a row an engine may fail of itself: what fails for longer has a window of its own. */
const MAX_IN_A_ROW = 2;

export type EngineEvents = {
	/** A call of `remove` has reached the queue. */
	readonly onRemove: (job: Job, process: SimProcess) => void;
	readonly onSubmitCall: (process: SimProcess) => void;
};

export const createSimEngine = (world: World, cluster: Cluster, process: SimProcess, on: EngineEvents): Engine => {
	const {events, scenario, fault} = world;
	const dice = world.dice.fork(`engine of ${process.name}`);
	const inARow = {submit: 0, status: 0};

	const isDown = (): boolean => {
		const nowMs = events.nowMs();
		const isInWindow = !world.isCalm() && scenario.masterDown.some(({fromMs, untilMs}) => fromMs <= nowMs && nowMs < untilMs);
		if (isInWindow) fault('master-down');
		return isInWindow;
	};

	const strikesAgain = (kind: Parameters<World['strikes']>[0], service: 'submit' | 'status'): boolean => {
		if (inARow[service] >= MAX_IN_A_ROW || !world.strikes(kind, dice)) return false;
		inARow[service]++;
		fault(kind);
		return true;
	};

	const submitOne = async (request: JobRequest | ArrayRequest): Promise<SubmitOutcome> => {
		const soon = dice.int(20, 300);
		// qsub has a process group of its own: it does what it was told also when the process-node is killed.
		const run = <T>(ms: number, body: () => T): Promise<T> => process.call(ms, body, {detached: true});
		if (isDown()) return run(soon, () => ({kind: 'temporary', reason: 'unable to send message to qmaster'}));
		if (world.strikes('submit-permanent', dice)) {
			fault('submit-permanent');
			return run(soon, () => ({kind: 'permanent', reason: 'unknown queue'}));
		}
		if (strikesAgain('submit-temporary', 'submit')) return run(soon, () => ({kind: 'temporary', reason: 'got send timeout'}));
		if (strikesAgain('submit-full', 'submit')) return run(soon, () => ({kind: 'full', reason: 'job limit reached'}));
		const unanswered = {kind: 'unanswered', reason: 'it was killed after 20 s'} as const;
		if (strikesAgain('submit-unanswered-queued', 'submit')) {
			events.at(events.nowMs() + dice.int(20, PROGRAM_TIMEOUT_MS), () => void cluster.submit(request, process));
			return run(PROGRAM_TIMEOUT_MS, () => unanswered);
		}
		if (strikesAgain('submit-unanswered-late', 'submit')) {
			events.at(events.nowMs() + PROGRAM_TIMEOUT_MS + dice.int(0, 2 * SECOND), () => void cluster.submit(request, process));
			return run(PROGRAM_TIMEOUT_MS, () => unanswered);
		}
		if (strikesAgain('submit-unanswered-lost', 'submit')) return run(PROGRAM_TIMEOUT_MS, () => unanswered);
		inARow.submit = 0;
		const id = await run(soon, () => cluster.submit(request, process));
		return id === undefined ? {kind: 'full', reason: 'you have as many queue-jobs as you may have'} : {kind: 'submitted', id};
	};

	const submit = async (request: JobRequest | ArrayRequest): Promise<SubmitOutcome> => {
		const outcome = await submitOne(request);
		world.trace(process.name, `submit ${request.name}: ${outcome.kind} ${outcome.kind === 'submitted' ? outcome.id : ''}`);
		return outcome;
	};

	/** Several calls at a time; after one that was refused none is begun. */
	const submitAll = async (requests: readonly JobRequest[]): Promise<SubmitOutcome[]> => {
		const outcomes: SubmitOutcome[] = requests.map(() => ({kind: 'untried'}));
		let numBegun = 0;
		const isRefused = (): boolean => outcomes.some(({kind}, i) => i < numBegun && kind !== 'submitted' && !underWay.has(i));
		const underWay = new Set<number>();
		const work = async (): Promise<void> => {
			while (numBegun < requests.length && !isRefused()) {
				const i = numBegun++;
				underWay.add(i);
				outcomes[i] = await submit(requests[i] as JobRequest);
				underWay.delete(i);
			}
		};
		await Promise.all(Array.from({length: scenario.queue.submitConcurrency}, work));
		return outcomes;
	};

	/** The last answer that anybody in this process has got, be it for this map or for another. */
	let last: {readonly askedMs: number; readonly listing: readonly JobStatus[]} | undefined;

	const status = async (notBeforeMs: number = Number.POSITIVE_INFINITY): Promise<readonly JobStatus[]> => {
		const known = last;
		if (known !== undefined && known.askedMs >= notBeforeMs) {
			fault('status-shared');
			await process.call(1, () => cluster.serve(known.listing, process));
			return known.listing;
		}
		const askedMs = events.nowMs();
		const listing = await ask();
		last = {askedMs, listing};
		if (world.strikes('status-shared', dice)) {
			events.at(events.nowMs() + dice.int(1, 10 * SECOND), () => {
				last = {askedMs: events.nowMs(), listing: cluster.listing()};
			});
		}
		return listing;
	};

	const ask = async (): Promise<readonly JobStatus[]> => {
		if (isDown()) {
			await process.call(dice.pick([100, 100, PROGRAM_TIMEOUT_MS]), () => undefined);
			throw new Error('unable to send message to qmaster');
		}
		if (strikesAgain('status-fails', 'status')) {
			await process.call(dice.int(20, 200), () => undefined);
			throw new Error('error: commlib error');
		}
		if (strikesAgain('status-hangs', 'status')) {
			await process.call(PROGRAM_TIMEOUT_MS, () => undefined);
			throw new Error('qstat was killed after 20 s');
		}
		const leavesOut = strikesAgain('status-leaves-out', 'status');
		if (!leavesOut) inARow.status = 0;
		const known = new Set(cluster.jobs().flatMap(({id, served}) => (served.size > 0 ? [id] : [])));
		const listing = await process.call(dice.int(20, 200), cluster.listing);
		world.trace(process.name, `status: ${listing.map(({id, state}) => `${id} ${state}`).join(', ')}${leavesOut ? ' (some left out)' : ''}`);
		// One that is new is left out for as long as its submission takes, which is long enough.
		const answer = leavesOut ? listing.filter(({id}) => !known.has(id) || dice.chance(0.3)) : listing;
		cluster.serve(answer, process);
		return answer;
	};

	return {
		name: 'simulated',
		statusCost: 'call',
		outlivesProcess: true,
		maxDefaultChunks: 1000,
		submit: requests => {
			on.onSubmitCall(process);
			return submitAll(requests);
		},
		...(scenario.queue.hasArrays
			? {
					arrays: {
						elementVariable: ELEMENT_VARIABLE,
						maxElements: async () => scenario.queue.maxElements,
						elementId: (id, element) => `${id}.${element}`,
						submit: request => {
							on.onSubmitCall(process);
							const {maxElements} = scenario.queue;
							if (request.numElements > maxElements)
								world.offend('no array is larger than the site allows', `${request.numElements} of ${maxElements}`);
							return submit(request);
						},
					},
				}
			: {}),
		status,
		remove: async ids => {
			let delayMs = dice.int(20, 200);
			if (world.strikes('remove-slow', dice)) {
				fault('remove-slow');
				delayMs = dice.int(SECOND, PROGRAM_TIMEOUT_MS);
			}
			const isFailing = isDown() || world.strikes('remove-fails', dice);
			if (isFailing) fault('remove-fails');
			await process.call(
				delayMs,
				() => {
					if (isFailing) throw new Error('unable to contact qmaster');
					world.trace(process.name, `remove ${ids.join(', ')}`);
					for (const id of ids) {
						const job = cluster.find(id);
						if (job === undefined) continue;
						on.onRemove(job, process);
						cluster.remove(job, 'us');
					}
				},
				{detached: true},
			);
		},
		explain: async ({id, state}) => {
			const delayMs = dice.pick([50, 50, 500, 6 * SECOND]);
			return process.call(delayMs, () => {
				const job = cluster.find(id);
				if (state === 'pending') return {failed: false, reason: 'no suitable queues'};
				if (job === undefined || events.nowMs() < job.explainedMs) return undefined;
				world.trace(process.name, `explain ${id}: ${job.end?.reason}`);
				return job.end;
			});
		},
	};
};
