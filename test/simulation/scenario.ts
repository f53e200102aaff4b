/** What a seed makes of the world: the map, its options, the hosts, and which faults strike how often. */
import type {Limits} from '../../src/judge.js';
import type {Dice} from './dice.js';
import {FAULT_KINDS, type FaultKind} from './faults.js';
import {HOUR, MINUTE, SECOND} from './world.js';

export type Scenario = {
	readonly tasks: readonly SimTask[];
	readonly numChunks: number;
	readonly options: SimOptions;
	readonly nodes: readonly SimNode[];
	/** Where process-nodes run, and the worker-nodes. */
	readonly allHosts: readonly string[];
	/** How likely each fault is, wherever it may strike. */
	readonly rates: Readonly<Record<FaultKind, number>>;
	/** Until then new faults strike. */
	readonly faultsUntilMs: number;
	readonly maxNamesLagMs: number;
	readonly maxContentLagMs: number;
	/** For so long a file may be missing, or wrong, for a host. */
	readonly maxHiddenMs: number;
	readonly diskFull: readonly Window[];
	readonly ioErrors: readonly (Window & {readonly host: string})[];
	readonly masterDown: readonly Window[];
	/** After a restart the master knows of no node for a while. */
	readonly masterRestarts: readonly Window[];
	/** So long after a node was cut off the master says so. */
	readonly maxUnheardMs: number;
	readonly hasAccounting: boolean;
	readonly queue: SimQueue;
};

/** What the scheduler takes. */
export type SimQueue = {
	readonly hasArrays: boolean;
	/** Of one array. */
	readonly maxElements: number;
	/** How many queue-jobs a user may have, elements counted each; Infinity for any number. */
	readonly maxUserJobs: number;
	/** So many calls are under way at a time. */
	readonly submitConcurrency: number;
};

export type Window = {readonly fromMs: number; readonly untilMs: number};

export type SimNode = {readonly host: string; readonly slots: number; readonly isBlackHole: boolean};

export type SimTask = {
	readonly durationMs: number;
	readonly behaviour: 'value' | 'throws' | 'kills-always' | 'kills-at-first';
	/** Of `kills-at-first`: so often. */
	readonly numKills: number;
};

export type SimOptions = Limits & {
	readonly pollingIntervalMs: number;
	readonly outageLimitMs: number;
	readonly stopOnError: boolean;
	readonly avoidHosts: boolean;
	readonly pendingWarnMs: number | false;
	readonly keepWorkDir: boolean;
	readonly schedule: 'static' | 'dynamic';
	readonly numJobs?: number;
	readonly arrayJobs: boolean;
	readonly maxConcurrentJobs: number;
	readonly maxQueuedJobs: number;
};

export const PROCESS_HOSTS = ['login1', 'login2'] as const;

export const createScenario = (root: Dice): Scenario => {
	const dice = root.fork('scenario');
	const rates = drawRates(dice);
	const options = drawOptions(dice, rates);
	const numTasks = dice.pick([1, 2, 3, 5, 8, 12]);
	const numChunks = root.fork('chunks').int(1, numTasks);
	const numNodes = dice.int(1, 4);
	const nodes = Array.from({length: numNodes}, (_, i) => ({
		host: `node${i + 1}`,
		slots: dice.int(1, 3),
		isBlackHole: i > 0 && dice.chance(rates['black-hole']),
	}));
	const allHosts = [...PROCESS_HOSTS, ...nodes.map(({host}) => host)];
	const faultsUntilMs = dice.pick([10 * MINUTE, HOUR, 3 * HOUR]);
	// A name may be old, then its contents: together they stay well below the grace time, for which alone the library promises anything.
	const maxLagMs = Math.floor(options.graceMs / 5);
	const windows = (kind: FaultKind, maxMs: number): Window[] => drawWindows(dice, rates[kind], faultsUntilMs, maxMs);
	return {
		tasks: Array.from({length: numTasks}, () => drawTask(dice, rates)),
		numChunks,
		options: {...options, ...drawSchedule(root, numChunks)},
		nodes,
		allHosts,
		rates,
		faultsUntilMs,
		maxNamesLagMs: rates['names-stale'] > 0 ? maxLagMs : 0,
		maxContentLagMs: rates['contents-stale'] > 0 ? maxLagMs : 0,
		maxHiddenMs: Math.max(1000, maxLagMs),
		diskFull: windows('disk-full', 10 * MINUTE),
		ioErrors: windows('io-error', 2 * MINUTE).map(window => ({...window, host: dice.pick(allHosts)})),
		masterDown: windows('master-down', dice.chance(0.1) ? 2 * options.outageLimitMs : 0.8 * options.outageLimitMs),
		masterRestarts: options.unreachableAfterMs === false ? [] : windows('master-restarted', 0.5 * options.unreachableAfterMs),
		maxUnheardMs: dice.pick([10, 60]) * SECOND,
		hasAccounting: !dice.chance(0.3),
		queue: drawQueue(root.fork('queue'), rates),
	};
};

const drawSchedule = (root: Dice, numChunks: number): Pick<SimOptions, 'schedule' | 'numJobs'> => {
	const dice = root.fork('schedule');
	return dice.chance(0.4) ? {schedule: 'dynamic', numJobs: dice.int(1, Math.min(4, numChunks))} : {schedule: 'static'};
};

const drawQueue = (dice: Dice, rates: Readonly<Record<FaultKind, number>>): SimQueue => ({
	hasArrays: dice.chance(0.9),
	maxElements: dice.pick([2, 3, 5, 75_000]),
	// With one at a time a map of many faults takes days.
	maxUserJobs: dice.chance(rates['queue-full']) ? dice.int(2, 8) : Number.POSITIVE_INFINITY,
	submitConcurrency: dice.pick([1, 4]),
});

/** Most faults are off in most worlds: where everything goes wrong at once nothing is ever finished, and little is tested. */
const drawRates = (dice: Dice): Record<FaultKind, number> => {
	const isOn = dice.pick([0, 0.1, 0.25, 0.5]);
	return Object.fromEntries(
		FAULT_KINDS.map(kind => [kind, dice.chance(isOn) ? dice.pick(RARE.has(kind) ? [0.02] : [0.05, 0.15, 0.4]) : 0]),
	) as Record<FaultKind, number>;
};

/** What ends a map, or takes hours. */
const RARE: ReadonlySet<FaultKind> = new Set(['submit-permanent']);

const drawOptions = (dice: Dice, rates: Readonly<Record<FaultKind, number>>): SimOptions => ({
	pollingIntervalMs: dice.pick([5, 20, 60]) * SECOND,
	maxNumResubmissions: dice.pick([0, 1, 2, 2, 3, 5]),
	graceMs: dice.pick([30, 60, 90]) * SECOND,
	unreachableAfterMs: dice.chance(0.15) ? false : dice.pick([2, 5, 10]) * MINUTE,
	pendingLimitMs: dice.chance(0.1) ? dice.pick([5, 30]) * MINUTE : Number.POSITIVE_INFINITY,
	pendingWarnMs: dice.pick([false, 2 * MINUTE]),
	outageLimitMs: dice.pick([10, 30]) * MINUTE,
	stopOnError: dice.chance(rates['stopped-on-error'] / 2),
	avoidHosts: dice.chance(0.8),
	keepWorkDir: dice.chance(0.5),
	schedule: 'static',
	arrayJobs: dice.chance(0.4),
	maxConcurrentJobs: drawLimit(dice),
	maxQueuedJobs: drawLimit(dice),
});

const drawLimit = (dice: Dice): number => (dice.chance(0.3) ? dice.int(1, 6) : Number.POSITIVE_INFINITY);

const drawTask = (dice: Dice, rates: Readonly<Record<FaultKind, number>>): SimTask => {
	const behaviour = dice.chance(rates['task-throws'])
		? 'throws'
		: dice.chance(rates['task-kills-always'] / 2)
			? 'kills-always'
			: dice.chance(rates['task-kills-once'])
				? 'kills-at-first'
				: 'value';
	return {durationMs: dice.pick([0, 0, 10, 200, 3 * SECOND, 30 * SECOND, 5 * MINUTE]), behaviour, numKills: dice.int(1, 2)};
};

const drawWindows = (dice: Dice, rate: number, untilMs: number, maxMs: number): Window[] => {
	const windows: Window[] = [];
	for (let i = 0; i < 3 && rate > 0 && dice.chance(3 * rate); i++) {
		// Most maps are short: much of it has to come early.
		const fromMs = dice.int(0, dice.chance(0.7) ? 5 * MINUTE : untilMs);
		windows.push({fromMs, untilMs: fromMs + dice.int(SECOND, maxMs)});
	}
	return windows;
};
