import {setImmediate as turn} from 'node:timers/promises';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {SubmitOutcome} from '../../src/engines/engine.js';
import {createTurns, submitInOrder} from '../../src/engines/submit-in-order.js';

const SUBMITTED: SubmitOutcome = {kind: 'submitted', id: '7'};
const UNTRIED: SubmitOutcome = {kind: 'untried'};

/** Submissions that wait until they are told what becomes of them. */
const createDesk = () => {
	const begun: string[] = [];
	const waiting: {readonly resolve: (outcome: SubmitOutcome) => void; readonly reject: (error: Error) => void}[] = [];
	const submitOne = (name: string): Promise<SubmitOutcome> => {
		begun.push(name);
		return new Promise((resolve, reject) => void waiting.push({resolve, reject}));
	};
	const settle = async (i: number, outcome: SubmitOutcome | Error): Promise<void> => {
		const one = waiting[i];
		if (outcome instanceof Error) one?.reject(outcome);
		else one?.resolve(outcome);
		await turn();
	};
	return {begun, submitOne, settle};
};

const begin = async (names: string, concurrency: number) => {
	const desk = createDesk();
	const takeTurn = createTurns(concurrency);
	const outcomes = submitInOrder([...names], takeTurn, desk.submitOne);
	outcomes.catch(() => undefined);
	// The first turn waits for a module to be loaded.
	while (desk.begun.length === 0) await turn();
	await turn();
	return {...desk, outcomes, takeTurn};
};

describe('several submissions at a time', () => {
	test('are begun in their order, the next one when any has its answer', async () => {
		const {begun, settle, outcomes} = await begin('abcde', 2);
		expect(begun).toEqual(['a', 'b']);
		await settle(1, SUBMITTED);
		expect(begun).toEqual(['a', 'b', 'c']);
		for (const i of [2, 0, 3, 4]) await settle(i, {kind: 'submitted', id: String(i)});
		expect((await outcomes).map(outcome => (outcome.kind === 'submitted' ? outcome.id : ''))).toEqual(['0', '7', '2', '3', '4']);
	});

	test.each<SubmitOutcome>([
		{kind: 'temporary', reason: 'x'},
		{kind: 'full', reason: 'x'},
		{kind: 'permanent', reason: 'x'},
		{kind: 'unanswered', reason: 'x'},
	])('no further one is begun after one that is $kind; those under way have outcomes of their own', async outcome => {
		const {begun, settle, outcomes} = await begin('abcde', 3);
		await settle(1, outcome);
		await settle(2, SUBMITTED);
		await settle(0, SUBMITTED);
		expect(begun).toEqual(['a', 'b', 'c']);
		expect(await outcomes).toEqual([SUBMITTED, outcome, SUBMITTED, UNTRIED, UNTRIED]);
	});

	test('share their turns with all others', async () => {
		const {begun, settle, takeTurn, submitOne} = await begin('ab', 2);
		const later = submitInOrder(['c'], takeTurn, submitOne);
		await turn();
		expect(begun).toEqual(['a', 'b']);
		await settle(0, {kind: 'full', reason: 'x'});
		// What stops one of them stops no other.
		expect(begun).toEqual(['a', 'b', 'c']);
		await settle(2, SUBMITTED);
		expect(await later).toEqual([SUBMITTED]);
		await settle(1, SUBMITTED);
	});

	test('a program that is missing is told when nothing else became of any', async () => {
		const {settle, outcomes} = await begin('abc', 2);
		await settle(1, new Error('missing'));
		await settle(0, new Error('missing too'));
		await expect(outcomes).rejects.toThrow('missing too');
	});

	test('a program that has vanished does not hide what was submitted beside it', async () => {
		const {settle, outcomes} = await begin('abc', 2);
		await settle(1, new Error('vanished'));
		await settle(0, SUBMITTED);
		expect(await outcomes).toEqual([SUBMITTED, {kind: 'temporary', reason: 'vanished'}, UNTRIED]);
	});

	test('never more are under way than may be, and all are begun when all are taken', async () => {
		await fc.assert(
			fc.asyncProperty(fc.integer({min: 1, max: 6}), fc.integer({min: 0, max: 20}), async (concurrency, count) => {
				let underWay = 0;
				let most = 0;
				const outcomes = await submitInOrder(Array.from({length: count}), createTurns(concurrency), async () => {
					most = Math.max(most, ++underWay);
					await turn();
					underWay--;
					return SUBMITTED;
				});
				expect(outcomes).toHaveLength(count);
				expect(most).toBe(Math.min(concurrency, count));
			}),
			{numRuns: 50},
		);
	});
});
