import {describe, expect, test} from 'vitest';
import type {PoolError} from '../../src/errors.js';
import type {JournalEvent} from '../../src/journal.js';
import type {MapState} from '../../src/map-state.js';
import {createOutage, shareOutage} from '../../src/outage.js';
import {createHandClock} from '../helpers/hand-clock.js';

const WHAT = 'the queue does not answer';

/** An outage of a map that waits for so long, and what was noted and told. */
const makeOutage = (outageLimitMs: number) => {
	const clock = createHandClock();
	const noted: JournalEvent[] = [];
	const told: string[] = [];
	const state = {
		workDir: '/w/s',
		options: {outageLimitMs},
		journal: {note: (...events: readonly JournalEvent[]) => void noted.push(...events)},
	} as unknown as MapState;
	return {clock, noted, told, outage: createOutage(WHAT, state, {clock, tell: line => void told.push(line)})};
};

const thrownBy = (act: () => void): PoolError => {
	try {
		act();
	} catch (error) {
		return error as PoolError;
	}
	throw new Error('nothing was thrown');
};

describe('an outage', () => {
	test('is told once, with its reason and how long it is waited for', () => {
		const {clock, noted, told, outage} = makeOutage(6 * 3_600_000);
		for (const reason of ['no master', 'no master', 'a time-out']) {
			outage.failed(reason);
			clock.advance(60_000);
		}
		expect(noted).toEqual([{event: 'queue-silent', reason: `${WHAT}: no master`}]);
		expect(told).toEqual([`queue-map-reduce: ${WHAT}, waiting up to 6.0 hours: no master`]);
	});

	test('that ends is told, with how long it lasted; the next one begins anew', () => {
		const {clock, noted, told, outage} = makeOutage(1000);
		outage.failed('x');
		clock.advance(999);
		outage.failed('x');
		outage.worked();
		expect(noted.at(-1)).toEqual({event: 'queue-answers', message: 'after 1.0 s'});
		expect(told.at(-1)).toEqual(expect.stringMatching(/^queue-map-reduce: over after 1\.0 s: /));
		clock.advance(5000);
		outage.failed('y');
		clock.advance(999);
		outage.failed('y');
		expect(told).toHaveLength(3);
	});

	test('that lasts as long as the limit ends the map, with the last reason, the work_dir and what to do', () => {
		const {clock, outage} = makeOutage(90_000);
		outage.failed('x');
		clock.advance(89_999);
		outage.failed('x');
		clock.advance(1);
		const error = thrownBy(() => outage.failed('no master'));
		expect(error).toMatchObject({name: 'PoolError', code: 'ERR_POOL_OUTAGE', workDir: '/w/s'});
		expect(error.message).toBe(
			`For 1.5 minutes ${WHAT}: no master. What was finished is kept in /w/s. A longer outage is waited for with the option \`outageLimitMs\`.`,
		);
	});

	test('with a limit of 0 ends the map at once', () => {
		expect(thrownBy(() => makeOutage(0).outage.failed('x')).code).toBe('ERR_POOL_OUTAGE');
	});

	test('that never was is not told', () => {
		const {noted, told, outage} = makeOutage(1000);
		outage.worked();
		expect([noted, told]).toEqual([[], []]);
	});
});

describe('an outage of something that is used in several ways', () => {
	test('is over when every use that has failed has worked again', () => {
		const {told, outage} = makeOutage(1000);
		const use = shareOutage(outage);
		use('read').worked();
		use('write').failed('full');
		use('read').failed('stale');
		use('read').worked();
		expect(told).toHaveLength(1);
		use('write').worked();
		expect(told.at(-1)).toMatch(/over after/);
		use('write').worked();
		expect(told).toHaveLength(2);
	});
});
