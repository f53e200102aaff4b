/** Waiting for a stream that may be slow: when it is given up, and when it is not. */
import {describe, expect, test} from 'vitest';
import {createQuietWatch, QUIET_MS} from '../../src/quiet-watch.js';
import {createSteppedClock} from '../helpers/stepped-clock.js';

const makeWatch = () => {
	const clock = createSteppedClock();
	const stop = new AbortController();
	const room = {isThere: true, numAsked: 0};
	const isRoom = (): boolean => {
		room.numAsked++;
		return room.isThere;
	};
	return {clock, stop, room, watch: createQuietWatch({clock, isRoom, signal: stop.signal})};
};

const createSource = () => {
	let give: (value: number) => void = () => undefined;
	let fail: (error: Error) => void = () => undefined;
	const next = new Promise<number>((resolve, reject) => {
		give = resolve;
		fail = reject;
	});
	return {next, give, fail};
};

/** What it has come to by now. */
const follow = <T>(promise: Promise<T>): {readonly seen: () => unknown} => {
	let seen: unknown = 'waits';
	promise.then(
		value => {
			seen = value;
		},
		(error: unknown) => {
			seen = error;
		},
	);
	return {seen: () => seen};
};

describe('what is waited for', () => {
	test('is given up when nothing has come for a while, and may be waited for again', async () => {
		const {clock, watch} = makeWatch();
		const {next, give} = createSource();
		const first = follow(watch.wait(next));
		await clock.advance(QUIET_MS - 1);
		expect(first.seen()).toBe('waits');
		await clock.advance(2);
		expect(first.seen()).toBeUndefined();
		const second = watch.wait(next);
		give(7);
		expect(await second).toBe(7);
	});

	test('is not given up as long as something comes now and then', async () => {
		const {clock, watch} = makeWatch();
		for (let i = 0; i < 10; i++) {
			const {next, give} = createSource();
			const waited = watch.wait(next);
			await clock.advance(0.9 * QUIET_MS);
			give(i);
			expect(await waited).toBe(i);
		}
	});

	test('is not given up while there is no room, and soon when there is', async () => {
		const {clock, room, watch} = makeWatch();
		room.isThere = false;
		const waited = follow(watch.wait(createSource().next));
		await clock.advance(20 * QUIET_MS);
		expect([waited.seen(), room.numAsked > 10]).toEqual(['waits', true]);
		room.isThere = true;
		await clock.advance(QUIET_MS + 1);
		expect(waited.seen()).toBeUndefined();
	});

	test('fails as it fails; after it was given up that is nobody’s, until it is waited for again', async () => {
		const {clock, watch} = makeWatch();
		const broken = createSource();
		const waited = follow(watch.wait(broken.next));
		broken.fail(new Error('broken'));
		await clock.advance(0);
		expect(waited.seen()).toEqual(new Error('broken'));
		const late = createSource();
		const given = watch.wait(late.next);
		await clock.advance(3 * QUIET_MS);
		expect(await given).toBeUndefined();
		late.fail(new Error('late'));
		await clock.advance(0);
		await expect(watch.wait(late.next)).rejects.toThrow('late');
	});

	test('is waited for without end when the watch is ended, and nothing is watched any more', async () => {
		const {clock, stop, room, watch} = makeWatch();
		const waited = follow(watch.wait(createSource().next));
		stop.abort();
		await clock.advance(20 * QUIET_MS);
		expect([waited.seen(), room.numAsked <= 1]).toEqual(['waits', true]);
	});
});

test('nobody looks when nothing is waited for', async () => {
	const {clock, room, watch} = makeWatch();
	expect(await watch.wait(Promise.resolve(1))).toBe(1);
	await clock.advance(20 * QUIET_MS);
	expect(room.numAsked).toBe(0);
});
