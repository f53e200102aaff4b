/** Calls fn for one task, and waits for what becomes of it. */
import {toRemoteError} from '../remote-error.js';
import type {TaskFailure} from '../v8-serialize-helpers.js';
import type {Phases, TaskPhase} from './phases.js';
import type {TimeLimit} from './time-limit.js';

export type Settled = {readonly kind: 'value'; readonly value: unknown} | {readonly kind: 'failure'; readonly failure: TaskFailure};

/** No promise of a function that returns none: waiting for nothing would cost more than a small task. */
export const callTask = (
	phases: Phases,
	phase: TaskPhase,
	invoke: (task: unknown) => unknown,
	task: unknown,
	limit: TimeLimit,
): Settled | Promise<Settled> => {
	try {
		const value = phases.run(phase, invoke, task);
		if (!isPromiseLike(value)) return {kind: 'value', value};
		const settled = settle(phase, value);
		limit.watch(phase);
		return settled;
	} catch (thrown) {
		return {kind: 'failure', failure: toFailure(thrown)};
	}
};

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
	typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';

/** Waits for the promise, or for what interrupts its task: an error thrown in a timer, process.exit, an event loop with nothing left to do. */
const settle = (phase: TaskPhase, promise: PromiseLike<unknown>): Promise<Settled> =>
	new Promise(resolve => {
		phase.interrupt = failure => resolve({kind: 'failure', failure});
		if (phase.failure !== undefined) phase.interrupt(phase.failure);
		// As `await` does: it may be no promise of the language, only something with a `then`, which may throw, or give another promise.
		Promise.resolve(promise).then(
			value => resolve({kind: 'value', value}),
			(thrown: unknown) => resolve({kind: 'failure', failure: toFailure(thrown)}),
		);
	});

const toFailure = (thrown: unknown): TaskFailure => {
	const remote = toRemoteError(thrown);
	return {kind: 'exception', message: `${remote.name}: ${remote.message}`, remote};
};
