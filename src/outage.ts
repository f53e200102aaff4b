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
};

/**
 * Of a service that is used in several ways: it is in order again when every use that has failed has worked since. A disk that is full can still be read.
 */
export const shareOutage = (outage: Outage): ((use: string) => Outage) => {
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
	let since: {elapsedMs: number} | undefined;
	return {
		failed: reason => {
			if (since === undefined) {
				since = {elapsedMs: clock.elapsedMs()};
				state.journal.note({event: 'queue-silent', reason: `${what}: ${reason}`});
				tell(`queue-map-reduce: ${what}, waiting up to ${formatDuration(state.options.outageLimitMs)}: ${reason}`);
			}
			const lastedMs = clock.elapsedMs() - since.elapsedMs;
			if (lastedMs < state.options.outageLimitMs) return lastedMs;
			throw new PoolError(
				'ERR_POOL_OUTAGE',
				`For ${formatDuration(lastedMs)} ${what}: ${reason}. What was finished is kept in ${state.workDir}. A longer outage is waited for with the option \`outageLimitMs\`.`,
				{workDir: state.workDir},
			);
		},
		worked: () => {
			if (since === undefined) return;
			const lasted = formatDuration(clock.elapsedMs() - since.elapsedMs);
			since = undefined;
			state.journal.note({event: 'queue-answers', message: `after ${lasted}`});
			tell(`queue-map-reduce: over after ${lasted}: ${what}`);
		},
	};
};
