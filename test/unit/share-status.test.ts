import {setImmediate as turn} from 'node:timers/promises';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {JobStatus} from '../../src/engines/engine.js';
import {type AskStatus, shareStatus} from '../../src/engines/share-status.js';

let numKeys = 0;

/** A scheduler that answers when it is told to; its answers are numbered. */
const createScheduler = () => {
	const key = `test ${numKeys++}`;
	const asked: {readonly resolve: (jobs: readonly JobStatus[]) => void; readonly reject: (error: Error) => void}[] = [];
	const ask = (): Promise<readonly JobStatus[]> => new Promise((resolve, reject) => void asked.push({resolve, reject}));
	const answer = async (i = asked.length - 1): Promise<void> => {
		asked[i]?.resolve([{id: String(i), name: 'a', state: 'running', rawState: 'r'}]);
		await turn();
	};
	const fail = async (i = asked.length - 1): Promise<void> => {
		asked[i]?.reject(new Error(`lost ${i}`));
		await turn();
	};
	return {asked, answer, fail, share: (): AskStatus => shareStatus(key, () => ask)};
};

const idOf = async (listing: Promise<readonly JobStatus[]>): Promise<string | undefined> => (await listing)[0]?.id;

/** A moment that is later than what was before and earlier than what comes. */
const later = (): number => {
	const before = performance.now();
	while (performance.now() === before);
	const now = performance.now();
	while (performance.now() === now);
	return now;
};

describe('maps of one process', () => {
	test('take the last answer when its question was asked late enough', async () => {
		const {asked, answer, share} = createScheduler();
		const beforeMs = later();
		const first = share()();
		await answer();
		expect(await idOf(first)).toBe('0');
		expect(await idOf(share()(beforeMs))).toBe('0');
		expect(asked).toHaveLength(1);
		// Asked before: what was submitted since is not in it.
		const second = share()(later());
		expect(asked).toHaveLength(2);
		await answer();
		expect(await idOf(second)).toBe('1');
	});

	test('join a call under way that was begun late enough', async () => {
		const {asked, answer, share} = createScheduler();
		const beforeMs = later();
		const waiting = [share()(beforeMs), share()(beforeMs), share()(later())];
		expect(asked).toHaveLength(1);
		await answer(0);
		await answer(1);
		expect(await Promise.all(waiting.map(idOf))).toEqual(['0', '0', '1']);
		expect(asked).toHaveLength(2);
	});

	test('share the next call when the one under way was begun too early; there are never two at a time', async () => {
		const {asked, answer, share} = createScheduler();
		const first = share()();
		const late = [share()(later()), share()(later()), share()()];
		expect(asked).toHaveLength(1);
		await answer();
		expect(asked).toHaveLength(2);
		await answer();
		expect(await Promise.all([first, ...late].map(idOf))).toEqual(['0', '1', '1', '1']);
		expect(asked).toHaveLength(2);
	});

	test('who does not say how old it may be gets one to a question asked now', async () => {
		const {asked, answer, share} = createScheduler();
		const first = share()();
		await answer();
		await first;
		later();
		const second = share()();
		await answer();
		expect(await idOf(second)).toBe('1');
		expect(asked).toHaveLength(2);
	});

	test('a failure is told to all who wait for it, and to nobody else', async () => {
		const {asked, answer, fail, share} = createScheduler();
		const beforeMs = later();
		const told = [share()(beforeMs), share()(beforeMs)].map(one => expect(one).rejects.toThrow('lost 0'));
		const late = share()(later());
		await fail();
		await Promise.all(told);
		expect(asked).toHaveLength(2);
		await answer();
		expect(await idOf(late)).toBe('1');
		// The answer before stays known.
		const next = expect(share()(later())).rejects.toThrow('lost 2');
		await fail();
		await next;
		expect(await idOf(share()(beforeMs))).toBe('1');
		expect(asked).toHaveLength(3);
	});

	test('who asks another scheduler gets another answer', async () => {
		const schedulers = [createScheduler(), createScheduler()];
		const beforeMs = later();
		const listings = schedulers.map(({share}) => share()(beforeMs));
		for (const {answer} of schedulers) await answer();
		expect(schedulers.map(({asked}) => asked.length)).toEqual([1, 1]);
		expect(await listings[0]).not.toBe(await listings[1]);
	});

	test('whoever asks, and however calls end: each answer is young enough, and no two calls are under way', async () => {
		const step = fc.oneof(
			fc.record({kind: fc.constant('ask' as const), ageMs: fc.double({min: 0, max: 0.5, noNaN: true})}),
			fc.record({kind: fc.constantFrom('answer' as const, 'fail' as const)}),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(step, {maxLength: 30}), async steps => {
				const begunMs: number[] = [];
				const pending: {readonly resolve: (jobs: readonly JobStatus[]) => void; readonly reject: (error: Error) => void}[] = [];
				const status = shareStatus(`test ${numKeys++}`, () => () => {
					expect(pending).toHaveLength(0);
					begunMs.push(performance.now());
					return new Promise((resolve, reject) => void pending.push({resolve, reject}));
				});
				const end = async (kind: 'answer' | 'fail'): Promise<void> => {
					const one = pending.pop();
					if (kind === 'fail') one?.reject(new Error('lost'));
					else one?.resolve([{id: String(begunMs.length - 1), name: 'a', state: 'running', rawState: 'r'}]);
					await turn();
				};
				const checks: Promise<void>[] = [];
				for (const one of steps) {
					if (one.kind !== 'ask') {
						await end(one.kind);
						continue;
					}
					const notBeforeMs = later() - one.ageMs;
					const check = status(notBeforeMs).then(
						jobs => expect(begunMs[Number(jobs[0]?.id)]).toBeGreaterThanOrEqual(notBeforeMs),
						(error: Error) => expect(error.message).toBe('lost'),
					);
					checks.push(check);
				}
				while (pending.length > 0) await end('answer');
				await Promise.all(checks);
			}),
			{numRuns: 100},
		);
	});
});
