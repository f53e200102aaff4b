/** A scheduler repeats command lines and variables in what it says, and that ends up in log.jsonl and in errors. */
import type {ArrayJobs, Engine, SubmitOutcome} from './engines/engine.js';
import {PoolError} from './errors.js';
import type {Mask} from './mask-environment.js';

/** The same engine, whose words hold no value of the environment. */
export const maskEngine = (engine: Engine, mask: Mask): Engine => ({
	...engine,
	submit: async requests => (await maskRejection(engine.submit(requests), mask)).map(outcome => maskOutcome(outcome, mask)),
	...(engine.arrays === undefined ? {} : {arrays: maskArrays(engine.arrays, mask)}),
	status: notBeforeMs => maskRejection(engine.status(notBeforeMs), mask),
	remove: ids => maskRejection(engine.remove(ids), mask),
	explain: async job => {
		const end = await engine.explain(job);
		return end && {...end, reason: mask(end.reason)};
	},
});

const maskArrays = (arrays: ArrayJobs, mask: Mask): ArrayJobs => ({
	...arrays,
	submit: async request => maskOutcome(await maskRejection(arrays.submit(request), mask), mask),
});

const maskOutcome = (outcome: SubmitOutcome, mask: Mask): SubmitOutcome =>
	'reason' in outcome ? {...outcome, reason: mask(outcome.reason)} : outcome;

const maskRejection = <T>(promise: Promise<T>, mask: Mask): Promise<T> =>
	promise.catch((error: unknown) => {
		if (!(error instanceof Error)) throw error;
		const message = mask(error.message);
		if (message === error.message) throw error;
		// Without the cause, which says the same in the open.
		throw error instanceof PoolError
			? new PoolError(error.code, message, error.workDir === undefined ? {} : {workDir: error.workDir})
			: new Error(message);
	});
