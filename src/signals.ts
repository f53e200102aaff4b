/** What becomes of running maps when this process is told to end by a signal. Listens only while a map runs. */
import type {Stop} from './end-map.js';
import {sayBeside} from './live-lines.js';

export type Stoppable = {
	/** Undefined as long as the map has none: nothing is submitted then. */
	readonly workDir: () => string | undefined;
	/** What to write in a program, or to type, to go on with it. */
	readonly goOn: (workDir: string) => string;
	/** Begins to end the map. */
	readonly stop: (kind: Stop['kind'], signal: NodeJS.Signals) => void;
};

/** At a terminal the queue-jobs are not wanted any more. When a machine is shut down, or a connection is lost, they are. */
const KINDS: Readonly<Partial<Record<NodeJS.Signals, Exclude<Stop['kind'], 'deposed'>>>> = {
	SIGINT: 'cancel',
	SIGTERM: 'detach',
	SIGHUP: 'detach',
};
const SIGNALS = Object.keys(KINDS) as NodeJS.Signals[];

const running = new Set<Stoppable>();

/** What a signal has begun. */
type Ending = {
	readonly signal: NodeJS.Signals;
	/** Then they say what becomes of the process. */
	readonly doOthersListen: boolean;
	/** Maps that are not over yet. */
	readonly maps: Set<Stoppable>;
	readonly whenOver: (() => void)[];
};

let ending: Ending | undefined;

/**
 * Has a map stopped by signals from now on.
 *
 * @returns To be called, and waited for, when the map is over and before its caller hears of it: a program that does not catch its error would end the process while other maps are being stopped.
 */
export const stopBySignals = (map: Stoppable): (() => Promise<void>) => {
	if (running.size === 0) for (const signal of SIGNALS) process.prependListener(signal, onSignal);
	running.add(map);
	return async () => {
		running.delete(map);
		if (running.size === 0) stopListening();
		const mine = ending;
		if (mine?.maps.delete(map) !== true) return;
		if (mine.maps.size > 0) return new Promise(resolve => mine.whenOver.push(resolve));
		ending = undefined;
		if (!mine.doOthersListen) endBy(mine.signal);
		for (const resolve of mine.whenOver) resolve();
	};
};

const stopListening = (): void => {
	for (const signal of SIGNALS) process.off(signal, onSignal);
};

/** Nobody listens any more, so the signal does what it does to any program. */
const endBy = (signal: NodeJS.Signals): void => {
	stopListening();
	process.kill(process.pid, signal);
};

const onSignal = (signal: NodeJS.Signals): void => {
	// Called before all others, one that listens only once is still counted.
	const doOthersListen = process.listenerCount(signal) > 1;
	// After a hang-up there may be no terminal to write to.
	if (signal === 'SIGHUP' && process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => undefined);
	if (ending !== undefined) {
		if (doOthersListen) return;
		for (const map of ending.maps) {
			tell(
				map,
				workDir => `${signal} again: leaving at once, queue-jobs of ${workDir} may be left in the queue. To go on: ${map.goOn(workDir)}`,
			);
		}
		endBy(signal);
		return;
	}
	const kind = KINDS[signal] ?? 'cancel';
	ending = {signal, doOthersListen, maps: new Set(running), whenOver: []};
	for (const map of running) {
		tell(
			map,
			workDir =>
				`${signal}: ${kind === 'cancel' ? `removing the queue-jobs of ${workDir}` : `leaving ${workDir}`} (${signal} again leaves at once)`,
		);
		map.stop(kind, signal);
	}
};

const tell = (map: Stoppable, sentence: (workDir: string) => string): void => {
	const workDir = map.workDir();
	// A map without one has submitted nothing.
	if (workDir !== undefined) sayBeside(`queue-map-reduce: ${sentence(workDir)}`);
};
