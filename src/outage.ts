/** Keeps count of how long a service has been out of order, says so once, and gives up at the limit. */
import {PoolError} from './errors.js';
import {formatDuration} from './format-duration.js';
import type {MapState} from './map-state.js';
import type {Ports} from './ports.js';

export type Outage = {
	/**
	 * @returns For how long it has failed, in milliseconds.
	 * @throws PoolError `ERR_POOL_OUTAGE` when that is longer than `outageLimitMs`.
	 */
	readonly failed: (reason: string) => number;
	readonly worked: () => void;
	/** Nobody wants anything of the service from now on: whether it works can't be known, and the time does not count. */
	readonly rest: () => void;
	/** Somebody wants something of it again. */
	readonly resume: () => void;
};

/**
 * Of a service that is used in several ways: it is in order again when every use that has failed has worked since. A disk that is full can still be read.
 */
export const shareOutage = (outage: Outage): ((use: string) => Pick<Outage, 'failed' | 'worked'>) => {
	const failing = new Set<string>();
	return use => ({
		failed: reason => {
			failing.add(use);
			return outage.failed(reason);
		},
		worked: () => {
			if (failing.delete(use) && failing.size === 0) outage.worked();
		},
	});
};

/** @param what - Which service, as `the queue does not answer`. */
export const createOutage = (what: string, state: MapState, {clock, tell}: Pick<Ports, 'clock' | 'tell'>): Outage => {
	let current: {lastedMs: number; countedMs: number; isResting: boolean} | undefined;

	/** For how long it has lasted, without the time in which nobody wanted anything. */
	const count = (): number => {
		if (current === undefined) return 0;
		const nowMs = clock.elapsedMs();
		if (!current.isResting) current.lastedMs += nowMs - current.countedMs;
		current.countedMs = nowMs;
		return current.lastedMs;
	};

	return {
		failed: reason => {
			const lastedMs = count();
			if (current === undefined) {
				current = {lastedMs: 0, countedMs: clock.elapsedMs(), isResting: false};
				state.journal.note({event: 'queue-silent', reason: `${what}: ${reason}`});
				tell(`queue-map-reduce: ${what}, waiting up to ${formatDuration(state.options.outageLimitMs)}: ${reason}`);
			}
			if (lastedMs < state.options.outageLimitMs) return lastedMs;
			throw new PoolError(
				'ERR_POOL_OUTAGE',
				`For ${formatDuration(lastedMs)} ${what}: ${reason}. What was finished is kept in ${state.workDir}. A longer outage is waited for with the option \`outageLimitMs\`.`,
				{workDir: state.workDir},
			);
		},
		worked: () => {
			if (current === undefined) return;
			const lasted = formatDuration(count());
			current = undefined;
			state.journal.note({event: 'queue-answers', message: `after ${lasted}`});
			tell(`queue-map-reduce: over after ${lasted}: ${what}`);
		},
		rest: () => {
			count();
			if (current !== undefined) current.isResting = true;
		},
		resume: () => {
			count();
			if (current !== undefined) current.isResting = false;
		},
	};
};
