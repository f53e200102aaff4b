/** One simulated map, from its seed to the promises that it has kept or broken. */
import {cutChunks} from '../../src/chunks.js';
import {createSession} from '../../src/layout.js';
import {checkQueued, checkRunning} from './check-limits.js';
import {checkGivenUp} from './check-submission.js';
import {checkEnd, checkJournal, checkQueue, checkSameOutcomes} from './checks.js';
import {type Cluster, createCluster} from './cluster.js';
import {createDice} from './dice.js';
import {createDisk} from './disk.js';
import {createEventQueue} from './event-queue.js';
import {type FaultCounts, noFaults} from './faults.js';
import {createFileViews} from './file-views.js';
import {createLedger} from './ledger.js';
import {createScenario, PROCESS_HOSTS} from './scenario.js';
import {runWorker} from './sim-worker.js';
import {createStory} from './story.js';
import {EPOCH_MS, HOUR, type World} from './world.js';

export type Report = {
	readonly seed: number;
	readonly offences: readonly Offence[];
	readonly faults: FaultCounts;
	readonly numEvents: number;
	readonly virtualMs: number;
	/** By status or kind: how many tasks ended so. */
	readonly outcomes: Readonly<Record<string, number>>;
	readonly trace: readonly string[];
};

export type Offence = {readonly promise: string; readonly what: string; readonly atMs: number};

/** A map is over by then, whatever happens to it. */
const MAX_MS: number = 72 * HOUR;
/** Four times as many as the longest of thousands of maps has. */
const MAX_EVENTS = 80_000;

/** After the end of a map the queue has caught up by then. */
const QUIET_MS: number = 3 * HOUR;

export const simulateMap = async (seed: number, {isTraced = false} = {}): Promise<Report> => {
	const dice = createDice(seed);
	const events = createEventQueue();
	const scenario = createScenario(dice);
	const faults = noFaults();
	const offences: Offence[] = [];
	const trace: string[] = [];
	const onCalm: (() => void)[] = [];
	let isCalm = false;

	const note = (who: string, what: string): void => {
		if (isTraced) trace.push(`${(events.nowMs() / 1000).toFixed(3).padStart(12)} ${who}: ${what}`);
	};
	const offend = (promise: string, what: string): void => {
		note('BROKEN', `${promise}: ${what}`);
		offences.push({promise, what, atMs: events.nowMs()});
	};
	const world: World = {
		seed,
		scenario,
		events,
		dice,
		disk: createDisk(events.nowMs, what => offend('nothing is ever replaced or deleted', what)),
		fault: (kind, what = '') => {
			faults[kind]++;
			note('FAULT', `${kind} ${what}`);
		},
		strikes: (kind, luck) => !isCalm && events.nowMs() < scenario.faultsUntilMs && luck.chance(scenario.rates[kind]),
		isCalm: () => isCalm,
		becomeCalm: () => {
			isCalm = true;
			note('world', 'nothing goes wrong any more');
			for (const listener of onCalm) listener();
		},
		offend,
		trace: note,
	};
	note('scenario', JSON.stringify({...scenario, rates: Object.fromEntries(Object.entries(scenario.rates).filter(([, rate]) => rate > 0))}));

	const session = createSession(EPOCH_MS, dice.fork('session').bytes(3));
	const chunks = cutChunks(scenario.tasks.length, {kind: 'num-chunks', numChunks: scenario.numChunks});
	const views = createFileViews(world);
	const ledger = createLedger(world, session, views, () => cluster);
	const cluster: Cluster = createCluster(world, {
		session,
		runWorker: (job, process) => runWorker(world, job, process, {session, chunks, views, ledger}),
		onSubmit: (job, all) => {
			checkGivenUp(world, cluster, ledger, job);
			checkQueued(world, cluster, ledger, job, all);
		},
		onStart: all => checkRunning(world, cluster, ledger, all),
	});
	onCalm.push(cluster.healAll);
	const story = createStory(world, {
		session,
		chunks,
		views,
		cluster,
		on: {
			onSubmitCall: () => undefined,
			onRemove: (job, process) => {
				job.removedBy = process;
			},
		},
	});

	const outcomes: Record<string, number> = {};
	const whole = async (): Promise<void> => {
		const told = await story.tell();
		if (told === undefined) return;
		const {last, end} = told;
		for (const outcome of end.outcomes) {
			const kind = outcome?.status === 'rejected' ? outcome.reason.kind : 'fulfilled';
			outcomes[kind] = (outcomes[kind] ?? 0) + 1;
			if (kind === 'cancelled') faults['stopped-on-error']++;
		}
		const truth = {session, chunks, cluster, ledger, views};
		await checkEnd(world, truth, last, end.outcomes);
		checkJournal(world);
		if (!world.disk.isRemoved()) {
			world.becomeCalm();
			await story.pause(QUIET_MS);
			const numJobs = cluster.jobs().length;
			const again = await story.begin('resume', PROCESS_HOSTS[1]).ended;
			checkSameOutcomes(world, truth, last, end.outcomes, again, cluster.jobs().length - numJobs);
		}
		await story.pause(QUIET_MS);
		checkQueue(world, cluster, last);
	};

	let isOver = false;
	const telling = whole()
		.catch(error => {
			if (offences.length === 0) offend('the simulation itself works', String(error?.stack));
		})
		.finally(() => {
			isOver = true;
		});
	const how = await events.run({isOver: () => isOver, untilMs: MAX_MS, maxEvents: MAX_EVENTS});
	if (how === 'over') await telling;
	else offend('no map waits for something that can not happen', how === 'idle' ? 'nothing will ever happen' : `it is still ${how}`);
	return {seed, offences, faults, numEvents: events.numEvents(), virtualMs: events.nowMs(), outcomes, trace};
};
