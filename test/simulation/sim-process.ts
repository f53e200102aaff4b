/** A process of the simulated world: whatever it asks for is answered later, or, once it is dead, never. */
import type {EventQueue} from './event-queue.js';

export type SimProcess = {
	readonly name: string;
	readonly host: string;
	readonly isAlive: () => boolean;
	readonly kill: () => void;
	/** Stopped, or waiting for a file system that does not answer: until then it hears nothing. */
	readonly freezeUntil: (ms: number) => void;
	/** Until when it was frozen, or will be. */
	readonly frozenUntilMs: () => number;
	/** Has something done in a while, and waits for it. What was begun is done also when the process is killed meanwhile if it is `detached`. */
	readonly call: <T>(delayMs: number, effect: () => T, options?: {readonly detached?: boolean}) => Promise<T>;
	readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
	/** How often it has asked for anything. */
	readonly numCalls: () => number;
	/** Kills it at its n-th call: before that is done, or when it is done and the answer is on its way. */
	readonly killAt: (death: Death) => void;
	/** Whether it has come to the call at which it was to be killed. */
	readonly isAtItsEnd: () => boolean;
	/** Whether it is to die in the call that is being done now: then only a part of it may be done. */
	readonly isDying: () => boolean;
};

export type Death = {readonly numCalls: number; readonly when: 'before' | 'in-between' | 'after'; readonly onDeath: () => void};

export const createSimProcess = (name: string, host: string, events: EventQueue): SimProcess => {
	let isAlive = true;
	let isDying = false;
	let frozenUntilMs = Number.NEGATIVE_INFINITY;
	let numCalls = 0;
	let death: Death | undefined;

	const die = (): void => {
		if (!isAlive) return;
		isAlive = false;
		death?.onDeath();
	};

	/** Runs what the process goes on with, once it can. */
	const wake = (ms: number, body: () => void): (() => void) =>
		events.at(ms, () => {
			if (!isAlive) return;
			if (events.nowMs() < frozenUntilMs) wake(frozenUntilMs, body);
			else body();
		});

	return {
		name,
		host,
		isAlive: () => isAlive,
		kill: die,
		freezeUntil: ms => {
			frozenUntilMs = Math.max(frozenUntilMs, ms);
		},
		frozenUntilMs: () => frozenUntilMs,
		numCalls: () => numCalls,
		killAt: next => {
			death = next;
		},
		isAtItsEnd: () => numCalls === death?.numCalls,
		isDying: () => isDying,
		call: (delayMs, effect, {detached = false} = {}) =>
			new Promise((resolve, reject) => {
				numCalls++;
				const isLast = numCalls === death?.numCalls;
				if (isLast && death?.when === 'before') return die();
				const run = (): void => {
					let answer: () => void;
					isDying = isLast && death?.when === 'in-between';
					try {
						const result = effect();
						answer = () => resolve(result);
					} catch (error) {
						answer = () => reject(error);
					}
					if (isLast) die();
					isDying = false;
					if (!isAlive) return;
					if (events.nowMs() < frozenUntilMs) wake(frozenUntilMs, answer);
					else answer();
				};
				if (detached) events.at(events.nowMs() + delayMs, run);
				else wake(events.nowMs() + delayMs, run);
			}),
		sleep: (ms, signal) =>
			new Promise(resolve => {
				if (signal?.aborted) return resolve();
				const onAbort = (): void => {
					cancel();
					// As a timer that was cleared: in a later turn.
					wake(events.nowMs(), resolve);
				};
				const cancel = wake(events.nowMs() + Math.max(0, ms), () => {
					signal?.removeEventListener('abort', onAbort);
					resolve();
				});
				signal?.addEventListener('abort', onAbort, {once: true});
			}),
	};
};
