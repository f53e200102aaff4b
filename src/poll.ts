/**
 * Watches a map until every chunk is decided: submit what is to be submitted, ask the queue, look for results, judge, act; then sleep until
 * something is due.
 */
import {actOn} from './act.js';
import {askQueue, explainJobs} from './ask-queue.js';
import {createMapBeats} from './beat.js';
import {type ChunkFacts, judge} from './judge.js';
import {lookForResults} from './look-for-results.js';
import {type MapState, openChunks} from './map-state.js';
import {createOutage} from './outage.js';
import type {Ports} from './ports.js';
import type {Reducer} from './reduce.js';
import {submitNext} from './submit.js';

export type Watch = {
	/** Called after each round. */
	readonly onRound: () => void;
	/** Ends the watching; its reason is thrown. */
	readonly signal: AbortSignal;
};

/** @throws PoolError `ERR_POOL_SUBMIT_REJECTED`, `ERR_POOL_PROGRAM_MISSING`, `ERR_POOL_OUTAGE` or `ERR_POOL_START_FAILED`. */
export const poll = async (state: MapState, ports: Ports, reducer: Reducer, {onRound, signal}: Watch): Promise<void> => {
	const beats = createMapBeats(ports.clock, state.options.pollingIntervalMs, ports.engine.statusCost);
	const submitOutage = createOutage('the scheduler takes no queue-jobs', state, ports);
	const statusOutage = createOutage('the queue does not answer', state, ports);

	const submit = async (): Promise<void> => {
		const refusal = await submitNext(state, ports);
		beats.submission.done(refusal === undefined ? 'changed' : 'same');
		if (refusal === undefined) submitOutage.worked();
		else submitOutage.failed(refusal);
	};

	const ask = async (): Promise<void> => {
		const answer = await askQueue(state, ports);
		beats.status.done(answer.kind === 'changed' ? 'changed' : 'same');
		if (answer.kind === 'silent') statusOutage.failed(answer.reason);
		else statusOutage.worked();
	};

	while (openChunks(state).length > 0) {
		signal.throwIfAborted();
		if (state.toSubmit.size > 0 && beats.submission.isDue()) await submit();
		// The queue before the files: of a job that ends in between we then see the result, not only that it is gone.
		const isAsking = beats.status.isDue();
		if (isAsking) await ask();
		if (beats.listing.isDue() || isAsking) beats.listing.done(await lookForResults(state, ports, reducer));
		if (isAsking) await explainJobs(state, ports);
		await decide(state, ports, reducer);
		await state.journal.flush({durable: false});
		onRound();
		if (state.options.stopOnError && reducer.counts().failed > 0) return;
		const untilMs = Math.min(beats.status.untilDueMs(), beats.listing.untilDueMs());
		const untilSubmitMs = state.toSubmit.size > 0 ? beats.submission.untilDueMs() : untilMs;
		if (openChunks(state).length > 0) await ports.clock.sleep(Math.min(untilMs, untilSubmitMs), signal);
	}
};

const decide = async (state: MapState, ports: Ports, reducer: Reducer): Promise<void> => {
	const toRemove: string[] = [];
	for (const chunk of openChunks(state)) {
		const facts: ChunkFacts = {
			attempts: chunk.attempts,
			isNextDue: state.toSubmit.has(chunk),
			nowMs: ports.clock.elapsedMs(),
			anyWorkerStarted: state.anyWorkerStarted,
		};
		const verdict = judge(facts, state.options);
		if (verdict.kind !== 'wait') toRemove.push(...(await actOn(state, chunk, verdict, reducer)));
	}
	if (toRemove.length > 0) await ports.engine.remove(toRemove);
};
