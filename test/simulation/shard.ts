/** Runs a row of seeds, and says what became of them. The entry of the bundle that threads run. */
import {setImmediate as nextTurn} from 'node:timers/promises';
import {parentPort} from 'node:worker_threads';
import {type FaultCounts, type FaultKind, noFaults} from './faults.js';
import {type Offence, simulateMap} from './simulate-map.js';

export type ShardRequest = {
	readonly firstSeed: number;
	readonly numSeeds: number;
	readonly isTraced: boolean;
	/** So many seeds that break a promise are enough. */
	readonly maxBroken: number;
};

export type BrokenSeed = {readonly seed: number; readonly offences: readonly Offence[]; readonly trace: readonly string[]};

export type ShardSummary = {
	numSeeds: number;
	numEvents: number;
	virtualMs: number;
	readonly faults: FaultCounts;
	readonly outcomes: Record<string, number>;
	readonly broken: BrokenSeed[];
	/** Of the last seed, when it was asked for. */
	trace: readonly string[];
};

export const runShard = async ({firstSeed, numSeeds, isTraced, maxBroken}: ShardRequest): Promise<ShardSummary> => {
	const summary: ShardSummary = {numSeeds: 0, numEvents: 0, virtualMs: 0, faults: noFaults(), outcomes: {}, broken: [], trace: []};
	const unhandled: unknown[] = [];
	const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
	process.on('unhandledRejection', onUnhandled);
	for (let seed = firstSeed; seed < firstSeed + numSeeds && summary.broken.length < maxBroken; seed++) {
		const report = await simulateMap(seed, {isTraced});
		// Rejections that nobody has handled come to light in this turn.
		await nextTurn();
		const offences = [...report.offences];
		for (const reason of unhandled.splice(0)) {
			const what = reason instanceof Error ? String(reason.stack) : String(reason);
			offences.push({promise: 'no rejection is left unhandled', what, atMs: report.virtualMs});
		}
		summary.numSeeds++;
		summary.numEvents += report.numEvents;
		summary.virtualMs += report.virtualMs;
		for (const [kind, times] of Object.entries(report.faults)) summary.faults[kind as FaultKind] += times;
		for (const [kind, times] of Object.entries(report.outcomes)) summary.outcomes[kind] = (summary.outcomes[kind] ?? 0) + times;
		if (offences.length > 0) summary.broken.push({seed, offences, trace: report.trace});
		summary.trace = report.trace;
	}
	process.off('unhandledRejection', onUnhandled);
	return summary;
};

parentPort?.on('message', async (request: ShardRequest) => {
	parentPort?.postMessage(await runShard(request));
});
