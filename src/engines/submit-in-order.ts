/** Several submissions under way at a time, and never more: shared by all that submit by one engine object. */
import type {SubmitOutcome} from './engine.js';

/** Calls it when its turn has come. Turns are given in the order in which they were asked for. */
export type TakeTurn = <Result>(call: () => Promise<Result>) => Promise<Result>;

/**
 * @param concurrency - So many turns at a time.
 */
export const createTurns = (concurrency: number): TakeTurn => {
	let loading: Promise<TakeTurn> | undefined;
	return async call => {
		loading ??= import('p-limit').then(({default: limit}) => limit(concurrency) as TakeTurn);
		return (await loading)(call);
	};
};

/**
 * `Engine.submit` by an engine that submits one queue-job at a call: begun in their order, several at a time, and none any more after the first that is not
 * `submitted`.
 *
 * @throws What `submitOne` has rejected with, when nothing else became of any request.
 */
export const submitInOrder = async <Request>(
	requests: readonly Request[],
	takeTurn: TakeTurn,
	submitOne: (request: Request) => Promise<SubmitOutcome>,
): Promise<SubmitOutcome[]> => {
	let isStopped = false;
	const submitNext = async (request: Request): Promise<SubmitOutcome> => {
		if (isStopped) return {kind: 'untried'};
		try {
			const outcome = await submitOne(request);
			if (outcome.kind !== 'submitted') isStopped = true;
			return outcome;
		} catch (error) {
			isStopped = true;
			throw error;
		}
	};
	const settled = await Promise.allSettled(requests.map(request => takeTurn(() => submitNext(request))));
	const failure = settled.find(({status}) => status === 'rejected') as PromiseRejectedResult | undefined;
	// What was submitted beside it must not be forgotten for a program that has vanished: the next call tells of it.
	if (failure !== undefined && !settled.some(isAnswered)) throw failure.reason;
	return settled.map(result =>
		result.status === 'fulfilled' ? result.value : {kind: 'temporary', reason: (result.reason as Error).message},
	);
};

const isAnswered = (result: PromiseSettledResult<SubmitOutcome>): boolean =>
	result.status === 'fulfilled' && result.value.kind !== 'untried';
