import {expect, test} from 'vitest';
import {readAhead} from '../../src/read/read-ahead.js';

const later = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('results come in order, so many at a time are under way, and each is begun once', async () => {
	const begun: number[] = [];
	let most = 0;
	let numUnderWay = 0;
	const results: number[] = [];
	const read = async (item: number): Promise<number> => {
		begun.push(item);
		most = Math.max(most, ++numUnderWay);
		// Those that come first take longest.
		for (let i = 0; i < 10 - item; i++) await later();
		numUnderWay--;
		return item * 2;
	};
	for await (const result of readAhead([0, 1, 2, 3, 4, 5, 6], 3, read)) results.push(result);
	expect(results).toEqual([0, 2, 4, 6, 8, 10, 12]);
	expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
	expect(most).toBe(3);
});

test('what fails is told in its turn, and a reader who has gone hears of nothing', async () => {
	const results: number[] = [];
	const read = async (item: number): Promise<number> => {
		if (item === 1) throw new Error('unreadable');
		return item;
	};
	const all = async (): Promise<void> => {
		for await (const result of readAhead([0, 1, 2], 3, read)) results.push(result);
	};
	await expect(all()).rejects.toThrow('unreadable');
	expect(results).toEqual([0]);
	for await (const result of readAhead([0, 1, 2], 3, read)) {
		expect(result).toBe(0);
		break;
	}
	await later();
});
