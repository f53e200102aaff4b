/** What happens to the processes that drive a map: they die, freeze, are told to stop, meet each other; until one has brought the map to its end. */
import type {Chunk} from '../../src/chunks.js';
import {PoolError} from '../../src/errors.js';
import type {Processes} from '../../src/owner.js';
import type {Cluster} from './cluster.js';
import type {FileViews} from './file-views.js';
import {type MapProcess, type ProcessEnd, startMapProcess} from './process-node.js';
import {PROCESS_HOSTS} from './scenario.js';
import {createSimEngine, type EngineEvents} from './sim-engine.js';
import {createSimProcess, type SimProcess} from './sim-process.js';
import {MINUTE, SECOND, type World} from './world.js';

export type StoryInput = {
	readonly session: string;
	readonly chunks: readonly Chunk[];
	readonly views: FileViews;
	readonly cluster: Cluster;
	readonly on: EngineEvents;
};

export type Story = {
	readonly begin: (how: 'begin' | 'resume', host: string) => MapProcess;
	/** @returns How the last process ended: the map is complete. */
	/** Undefined when the last process was killed between the removal of the work_dir and its own end: its results went with it, as they do later. */
	readonly tell: () => Promise<{readonly last: MapProcess; readonly end: Extract<ProcessEnd, {kind: 'complete'}>} | undefined>;
	readonly pause: (ms: number) => Promise<void>;
};

/** After so many processes nothing goes wrong any more: by then every promise must hold. */
const MAX_TROUBLED = 5;

export const createStory = (world: World, {session, chunks, views, cluster, on}: StoryInput): Story => {
	const {events, strikes, fault} = world;
	const dice = world.dice.fork('story');
	const living: SimProcess[] = [];
	const active = new Set<MapProcess>();
	const numBoots = new Map<string, number>();
	let numProcesses = 0;

	const owners: {readonly process: SimProcess; readonly number: number; readonly sinceMs: number}[] = [];

	const pause = (ms: number): Promise<void> => new Promise(resolve => void events.at(events.nowMs() + ms, resolve));

	const processesOf = (process: SimProcess, pid: number, bootId: string): Processes => ({
		self: () => ({host: process.host, bootId, pidNamespace: '', pid, startTime: ''}),
		isAlive: other => (other.bootId === bootId ? living[other.pid - 1]?.isAlive() : undefined),
	});

	const begin = (how: 'begin' | 'resume', host: string): MapProcess => {
		numProcesses++;
		const process = createSimProcess(`process ${numProcesses} on ${host}`, host, events);
		living.push(process);
		let onDeath: () => void = () => undefined;
		const killed = new Promise<void>(resolve => {
			onDeath = resolve;
		});
		const isToDie = strikes('process-killed', dice);
		process.killAt({
			numCalls: isToDie ? dice.int(1, dice.pick([10, 50, 300])) : Number.POSITIVE_INFINITY,
			when: dice.pick(['before', 'in-between', 'after']),
			onDeath: () => {
				if (isToDie && process.isAtItsEnd()) fault('process-killed');
				world.trace(process.name, 'is dead');
				onDeath();
			},
		});
		const bootId = `${host} ${numBoots.get(host) ?? 0}`;
		const engine = createSimEngine(world, cluster, process, {...on, onSubmitCall: caller => checkDeposed(world, caller, owners.at(-1))});
		world.trace(process.name, `${how}s`);
		const run = startMapProcess(world, how, {
			session,
			chunks,
			views,
			process,
			processes: processesOf(process, numProcesses, bootId),
			engine,
			killed,
			onOwned: number => {
				checkOwners(world, owners.at(-1)?.process);
				owners.push({process, number, sinceMs: events.nowMs()});
			},
		});
		active.add(run);
		run.ended.then(end => finish(run, end));
		troubleLater(run);
		return run;
	};

	const later = (run: MapProcess, body: () => void): void => {
		events.at(events.nowMs() + dice.int(0, dice.pick([10 * SECOND, 2 * MINUTE, 20 * MINUTE])), () => {
			if (run.process.isAlive() && !world.isCalm()) body();
		});
	};

	const troubleLater = (run: MapProcess): void => {
		const {process} = run;
		if (strikes('process-frozen', dice)) {
			later(run, () => {
				fault('process-frozen', process.name);
				process.freezeUntil(events.nowMs() + dice.int(SECOND, 5 * MINUTE));
				// Somebody takes it for dead.
				if (dice.chance(0.5)) startRival();
			});
		}
		if (strikes('second-process', dice)) later(run, startRival);
		if (strikes('process-host-crashed', dice)) {
			later(run, () => {
				fault('process-host-crashed', process.host);
				if (world.disk.crash(process.host, unsynced => dice.int(0, unsynced)) > 0) fault('unsynced-lost');
				numBoots.set(process.host, (numBoots.get(process.host) ?? 0) + 1);
				for (const each of living) if (each.host === process.host) each.kill();
			});
		}
		if (strikes('cancelled', dice)) {
			later(run, () => {
				fault('cancelled');
				run.stop({kind: 'cancel', reason: new DOMException('cancelled', 'AbortError')});
			});
		}
		if (strikes('detached', dice)) {
			later(run, () => {
				fault('detached');
				run.stop({kind: 'detach', reason: new PoolError('ERR_POOL_DETACHED', 'detached')});
			});
		}
	};

	const startRival = (): void => {
		fault('second-process');
		begin('resume', dice.pick(PROCESS_HOSTS));
	};

	let complete: Awaited<ReturnType<Story['tell']>> | undefined;
	const finish = (run: MapProcess, end: ProcessEnd): void => {
		// The program ends with its map.
		run.process.kill();
		active.delete(run);
		world.trace(run.process.name, `ended: ${end.kind} ${end.kind === 'stopped' ? String(end.reason) : ''}`);
		if (end.kind === 'complete') complete = {last: run, end};
		if (end.kind === 'stopped') checkReason(world, end.reason, numProcesses > 1);
	};

	const tell: Story['tell'] = async () => {
		begin('begin', PROCESS_HOSTS[0]);
		for (let turn = 1; ; turn++) {
			while (active.size > 0) await Promise.race([...active].map(run => run.ended));
			if (complete !== undefined || world.disk.isRemoved()) return complete;
			await pause(dice.int(0, dice.pick([SECOND, MINUTE, 20 * MINUTE])));
			if (turn >= MAX_TROUBLED) world.becomeCalm();
			if (turn > 2 * MAX_TROUBLED) throw new Error(`${turn} processes, one after the other, could not bring the map to its end`);
			begin('resume', dice.pick(PROCESS_HOSTS));
		}
	};

	return {begin, tell, pause};
};

/** A map ends before its time only for a reason that there was. */
const checkReason = (world: World, reason: unknown, hasOthers: boolean): void => {
	const {scenario} = world;
	const isOutage = [...scenario.masterDown, ...scenario.diskFull, ...scenario.ioErrors].some(
		({fromMs, untilMs}) => untilMs - fromMs > 0.5 * scenario.options.outageLimitMs,
	);
	const code = reason instanceof DOMException ? reason.name : String((reason as {code?: unknown}).code);
	const isRight: Record<string, boolean> = {
		AbortError: scenario.rates.cancelled > 0,
		ERR_POOL_DETACHED: scenario.rates.detached > 0,
		ERR_POOL_OWNED: hasOthers,
		ERR_POOL_OUTAGE: isOutage || scenario.masterDown.length + scenario.diskFull.length + scenario.ioErrors.length > 1,
		ERR_POOL_SUBMIT_REJECTED: scenario.rates['submit-permanent'] > 0,
		ERR_POOL_START_FAILED: scenario.rates['start-failed'] > 0,
		ERR_POOL_RESUME: scenario.ioErrors.length > 0,
		ENOSPC: scenario.diskFull.length > 0,
		EIO: scenario.ioErrors.length > 0,
		// The other one has finished the map.
		ENOENT: hasOthers && world.disk.isRemoved(),
		ERR_POOL_WORK_DIR: hasOthers && world.disk.isRemoved(),
	};
	if (isRight[code] !== true) {
		world.offend('a map is ended before its time only for a reason that there was', String((reason as Error)?.stack ?? reason));
	}
};

/** Two processes do not drive one work_dir: who lives and shows it is not followed by another. */
const checkOwners = (world: World, before: SimProcess | undefined): void => {
	const {events, scenario} = world;
	if (before === undefined || !before.isAlive() || before.frozenUntilMs() > events.nowMs() - OWNER_LOST_MS) return;
	// Whoever can't write can't show that it lives.
	if (scenario.diskFull.length > 0 || scenario.ioErrors.length > 0) return;
	world.offend('two processes do not drive one work_dir', `${before.name} lives`);
};

const checkDeposed = (
	world: World,
	caller: SimProcess,
	owner: {readonly process: SimProcess; readonly sinceMs: number} | undefined,
): void => {
	const {events, scenario} = world;
	if (owner === undefined || owner.process === caller) return;
	// It has looked a moment before, and may have been frozen since.
	const isKnown = events.nowMs() - owner.sinceMs > scenario.maxNamesLagMs + 10 * SECOND;
	if (isKnown && caller.frozenUntilMs() < events.nowMs() - scenario.maxNamesLagMs - 10 * SECOND) {
		world.offend('who has lost the work_dir submits nothing', caller.name);
	}
};

/** A heartbeat was not seen for so long, together with what a stale view may hide. */
const OWNER_LOST_MS: number = 2 * MINUTE;
