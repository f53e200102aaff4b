/** The real loop of a map in a simulated process: it begins a map, or comes back to one, and drives it to its end. */
import type {Chunk} from '../../src/chunks.js';
import {driveMap} from '../../src/drive-map.js';
import type {Stop} from '../../src/end-map.js';
import type {Engine} from '../../src/engines/engine.js';
import {openJournal} from '../../src/journal.js';
import {JOURNAL} from '../../src/layout.js';
import {createMapState, submitFirst, toMapOptions} from '../../src/map-state.js';
import type {Outcome} from '../../src/outcome.js';
import {claimWorkDir, type Processes} from '../../src/owner.js';
import type {Ports} from '../../src/ports.js';
import {createReducer} from '../../src/reduce.js';
import {restoreMap} from '../../src/restore-map.js';
import type {FileViews} from './file-views.js';
import {createSimFiles} from './sim-files.js';
import type {SimProcess} from './sim-process.js';
import {EPOCH_MS, WORK_DIR, type World} from './world.js';

export type MapProcess = {
	readonly process: SimProcess;
	readonly stop: (reason: Stop) => void;
	/** What it has told the person at the terminal. */
	readonly told: readonly string[];
	readonly ended: Promise<ProcessEnd>;
};

export type ProcessEnd =
	| {readonly kind: 'complete'; readonly outcomes: readonly Outcome<unknown>[]}
	| {readonly kind: 'stopped'; readonly reason: unknown}
	| {readonly kind: 'killed'};

export type ProcessInput = {
	readonly session: string;
	readonly chunks: readonly Chunk[];
	readonly views: FileViews;
	readonly process: SimProcess;
	readonly processes: Processes;
	readonly engine: Engine;
	/** It has become the owner with this number. */
	readonly onOwned: (number: number) => void;
	/** Resolves when the process is killed. */
	readonly killed: Promise<void>;
};

export const startMapProcess = (world: World, how: 'begin' | 'resume', input: ProcessInput): MapProcess => {
	const {process, session, chunks, killed} = input;
	const stopping = new AbortController();
	const told: string[] = [];
	const dice = world.dice.fork(`ports of ${process.name}`);
	const ports: Ports = {
		clock: {nowMs: () => EPOCH_MS + world.events.nowMs(), elapsedMs: world.events.nowMs, sleep: process.sleep},
		files: createSimFiles(world, input.views, process),
		random: {bytes: dice.bytes},
		engine: input.engine,
		tell: line => {
			told.push(line);
			world.trace(process.name, line);
		},
	};

	const drive = async (): Promise<ProcessEnd> => {
		const owner = await claimWorkDir(WORK_DIR, ports, input.processes, stopping.signal);
		input.onOwned(owner.number);
		const {keepWorkDir, ...options} = world.scenario.options;
		const state = createMapState({
			session,
			workDir: WORK_DIR,
			options: toMapOptions(options),
			owner,
			journal: openJournal(`${WORK_DIR}/${JOURNAL}`, ports.files, ports.clock, {owner: owner.number}),
			chunks,
		});
		const taskAt = async (itask: number): Promise<unknown> => itask;
		const reducer = createReducer({session, workDir: WORK_DIR, keep: 'outcomes', taskAt, files: ports.files});
		if (how === 'begin') {
			submitFirst(state, state.chunks);
			state.journal.note({event: 'tasks-complete'});
		} else await restoreMap(state, ports, reducer);
		await driveMap(state, ports, reducer, {
			place: {workDir: WORK_DIR, root: undefined},
			keepWorkDir,
			onRound: () => undefined,
			signal: stopping.signal,
		});
		return {kind: 'complete', outcomes: reducer.outcomes()};
	};

	const settled = drive().catch((reason: unknown): ProcessEnd => ({kind: 'stopped', reason: isStop(reason) ? reason.reason : reason}));
	const ended = Promise.race([settled, killed.then((): ProcessEnd => ({kind: 'killed'}))]);
	return {process, told, stop: reason => stopping.abort(reason), ended};
};

/** While the work_dir is being claimed the reason of the signal is thrown as it is. */
const isStop = (reason: unknown): reason is Stop => typeof reason === 'object' && reason !== null && 'kind' in reason && 'reason' in reason;
