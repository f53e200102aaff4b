/** One map from whatever state it is in to its end. Touches the world by its ports alone. */
import {concludeMap, endRest, type Stop, stopMap} from './end-map.js';
import type {Engine} from './engines/engine.js';
import type {Feed} from './feed-tasks.js';
import {type MapState, openChunks} from './map-state.js';
import type {Owner} from './owner.js';
import {poll} from './poll.js';
import type {Ports} from './ports.js';
import type {Reducer} from './reduce.js';
import {unlessAborted} from './unless-aborted.js';
import type {WorkDirPlace} from './work-dir.js';

export type Drive = {
	readonly place: WorkDirPlace;
	readonly keepWorkDir: boolean;
	/** A further reason to keep the work_dir, asked for at the end. */
	readonly whyKeep?: (() => string | undefined) | undefined;
	/** Called after each round. */
	readonly onRound: () => void;
	/** Ends the map before its time. Its reason is a {@link Stop}. */
	readonly signal: AbortSignal;
	/** Brings further chunks; undefined when all are there. */
	readonly feed?: Feed | undefined;
	/** Whoever takes outcomes from the files of the work_dir. */
	readonly taker?: Taker | undefined;
};

export type Taker = {
	/** So many chunks may be there, asked each round. */
	readonly chunksWanted: () => number;
	/** Called when every task has its outcome. Resolves when nothing more will be taken: until then the work_dir is needed. */
	readonly done: () => Promise<void>;
};

/**
 * When it resolves every task has its outcome.
 *
 * @throws What ended the map before its time: a PoolError, or the reason of the stop.
 */
export const driveMap = async (state: MapState, ports: Ports, reducer: Reducer, drive: Drive): Promise<void> => {
	const {owner} = state;
	const guarded: Ports = {...ports, engine: onlyAsOwner(ports.engine, owner)};
	try {
		// A map that is to end at its first failure may be resumed with one.
		const hasEnded = state.options.stopOnError && reducer.counts().failed > 0;
		const signal = AbortSignal.any([drive.signal, owner.deposed]);
		const {onRound, feed, taker} = drive;
		const chunksWanted = taker?.chunksWanted ?? (() => Number.POSITIVE_INFINITY);
		if (!hasEnded) await poll(state, guarded, reducer, {onRound, signal, feed, chunksWanted});
		if (taker !== undefined && openChunks(state).length > 0) {
			// Stopped at a failure: whoever takes the outcomes is to hear of those that are cancelled, too.
			await feed?.close();
			await endRest(state, guarded, reducer);
		}
		if (taker !== undefined) {
			// Whoever takes them may not be ready for long: by then it is to be seen that all tasks are written. A full disk is no reason to keep them back.
			await state.journal.flush({durable: true}).catch(() => undefined);
			await unlessAborted(taker.done(), signal);
		}
		// All that is finished is there for the next owner, whose work_dir this one must not remove.
		await refuseWhenDeposed(owner);
	} catch (error) {
		const stop = toStop(error, drive.signal, owner.deposed);
		await drive.feed?.close();
		await stopMap(state, guarded, reducer, stop);
		throw stop.reason;
	}
	await drive.feed?.close();
	await concludeMap(state, guarded, reducer, drive);
};

/** Who has lost the work_dir removes none of the next owner's queue-jobs. */
const onlyAsOwner = (engine: Engine, owner: Owner): Engine => ({
	...engine,
	remove: async ids => {
		await refuseWhenDeposed(owner);
		await engine.remove(ids);
	},
});

/** When that can't be seen, nobody else can have taken over either, and no queue-job is to be left behind. */
const refuseWhenDeposed = (owner: Owner): Promise<void> => owner.check().catch(() => owner.deposed.throwIfAborted());

const toStop = (error: unknown, signal: AbortSignal, deposed: AbortSignal): Stop => {
	if (deposed.aborted) return {kind: 'deposed', reason: deposed.reason};
	return signal.aborted && error === signal.reason ? (error as Stop) : {kind: 'cancel', reason: error};
};
