/** The one way to end a map before its time, whoever wants it: the caller, the option `signal`, or a signal to this process. */
import {howToGoOn, type Stop} from './end-map.js';
import {PoolError} from './errors.js';
import type {PoolOptions} from './options.js';
import {stopBySignals} from './signals.js';

export type Stopping = {
	/** Its reason is a {@link Stop}. */
	readonly signal: AbortSignal;
	readonly stop: (stop: Stop) => void;
	/** From now on there is something to go on with. */
	readonly hasWorkDir: (workDir: string) => void;
	/** To be waited for when the map is over, before its caller hears of it. */
	readonly over: () => Promise<void>;
	/** What was thrown, or why the map was stopped if that was it. */
	readonly reasonOf: (error: unknown) => unknown;
};

export const createStopping = ({
	signal,
	handleSignals = true,
	engine,
}: Pick<PoolOptions, 'signal' | 'handleSignals' | 'engine'>): Stopping => {
	const goOn = (path: string): string => howToGoOn(path, typeof engine === 'object' ? engine.name : engine);
	const controller = new AbortController();
	let workDir: string | undefined;
	const stop = (reason: Stop): void => controller.abort(reason);

	const onAbort = (): void => stop({kind: 'cancel', reason: signal?.reason});
	signal?.addEventListener('abort', onAbort);
	if (signal?.aborted) onAbort();

	const isOver = handleSignals
		? stopBySignals({
				workDir: () => workDir,
				goOn,
				stop: (kind, name) =>
					stop({
						kind,
						reason: new PoolError('ERR_POOL_INTERRUPTED', explain(kind, name, workDir, goOn), workDir === undefined ? {} : {workDir}),
					}),
			})
		: async () => undefined;
	return {
		signal: controller.signal,
		stop,
		hasWorkDir: path => {
			workDir = path;
		},
		over: async () => {
			signal?.removeEventListener('abort', onAbort);
			await isOver();
		},
		reasonOf: error => (controller.signal.aborted && error === controller.signal.reason ? (error as Stop).reason : error),
	};
};

const explain = (kind: Stop['kind'], name: NodeJS.Signals, workDir: string | undefined, goOn: (workDir: string) => string): string => {
	if (workDir === undefined) return `The process was told to end by ${name} before anything was submitted.`;
	const what = kind === 'cancel' ? 'the queue-jobs of the map were removed, what is finished is kept' : 'the map was left to itself';
	return `The process was told to end by ${name}: ${what}. To go on: ${goOn(workDir)}`;
};
