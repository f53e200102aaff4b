/**
 * How far the clocks of hosts are ahead of the process-node's. A queue-job can't begin before it was submitted, nor end after its result was seen: the clock of
 * a host that says so is wrong, by as much at least. Pure.
 */

/** Epoch milliseconds: what a worker said by its own clock, and what the process-node noted by its own. */
export type ClockSample = {
	readonly host: string;
	readonly beganAtMs: number | undefined;
	readonly endedAtMs: number | undefined;
	readonly submittedAtMs: number | undefined;
	readonly seenAtMs: number | undefined;
};

/** The smallest correction for every host after which its times make sense; 0 for most. */
export const estimateClocks = (samples: readonly ClockSample[]): ReadonlyMap<string, number> => {
	const bounds = new Map<string, {least: number; most: number}>();
	for (const {host, beganAtMs, endedAtMs, submittedAtMs, seenAtMs} of samples) {
		const bound = bounds.get(host) ?? {least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY};
		bounds.set(host, bound);
		if (beganAtMs !== undefined && submittedAtMs !== undefined) bound.most = Math.min(bound.most, beganAtMs - submittedAtMs);
		if (endedAtMs !== undefined && seenAtMs !== undefined) bound.least = Math.max(bound.least, endedAtMs - seenAtMs);
	}
	return new Map([...bounds].map(([host, bound]) => [host, nearestToZero(bound)]));
};

/** A clock that was set meanwhile fits no correction: then the middle is wrong by the least. */
const nearestToZero = ({least, most}: {readonly least: number; readonly most: number}): number => {
	if (least > most) return Math.round((least + most) / 2);
	if (least > 0) return least;
	return most < 0 ? most : 0;
};
