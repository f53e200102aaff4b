/** Processes that map at once, and faults of every kind at random moments: what is lost, what is computed twice, what hangs. */
import {execFile, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {readWorkDir} from 'queue-map-reduce';

/** @typedef {import('./task.js').TaskEvent} TaskEvent */

/**
 * @typedef {object} StormOptions
 * @property {string} directory - an empty one
 * @property {number} seconds - of faults; then everything is healed and the maps may end
 * @property {number} numProcesses
 * @property {number} seed - of the faults
 * @property {(verb: string, ...args: string[]) => Promise<unknown>} control - calls test/engines/grid-engine.sh for the cluster
 * @property {NodeJS.ProcessEnv} env - with the cluster's programs on PATH
 */

/**
 * @typedef {object} StormReport
 * @property {Record<string, number>} faults - how often each was brought about
 * @property {number} numMaps
 * @property {number} numTasks
 * @property {string[]} lost - maps whose results are not right, and what came instead
 * @property {number} numBegunAgain - begins of tasks whose worker had died, or could not be reached
 * @property {TaskEvent[]} twice - begins of tasks whose outcome was on the disk already
 * @property {number} numElsewhere - of tasks that were finished by a worker that had been given up because its node could not be reached
 * @property {string[]} hung - what had not ended minutes after the last fault
 */

const execute = promisify(execFile);
const PROCESS_NODE = fileURLToPath(new URL('./process-node.js', import.meta.url));

/**
 * In which the maps must end when nothing fails any more. Grid Engine leaves a queue-job that it could not hand over to a node in the state t for five
 * minutes before it takes it back; then it must wait, be run, and perhaps others with it.
 */
const END_WITHIN_MS = 480_000;
/** What a worker has finished may be lost with it for so long: it is on the disk after 2 s at the latest. */
const AT_RISK_MS = 2500;

/** @type {(options: StormOptions) => Promise<StormReport>} */
export const storm = async options => {
	const {directory, seconds, numProcesses, seed} = options;
	mkdirSync(path.join(directory, 'maps'));
	const random = createRandom(seed);
	const processes = Array.from({length: numProcesses}, (_, number) => keepRunning(options, number));
	/** @type {Deaths} */
	const deaths = new Map();
	const faults = createFaults(options, processes, deaths, random);
	/** @type {Record<string, number>} */
	const counts = Object.fromEntries(Object.keys(faults).map(name => [name, 0]));
	const untilMs = Date.now() + 1000 * seconds;
	const bring = async (/** @type {string | undefined} */ name) => {
		if (name !== undefined && (await faults[name]?.())) counts[name] = (counts[name] ?? 0) + 1;
	};
	// One of the cluster after the other, for each is healed in the end; those of processes come in between.
	const ofCluster = async () => {
		while (Date.now() < untilMs) {
			await sleep(10_000 + 20_000 * random());
			await bring(pick(CLUSTER_FAULTS, random));
		}
	};
	const ofProcesses = async () => {
		while (Date.now() < untilMs) {
			await sleep(500 + 3000 * random());
			await bring(
				pick(
					Object.keys(faults).filter(name => !CLUSTER_FAULTS.includes(name)),
					random,
				),
			);
		}
	};
	await Promise.all([ofCluster(), ofProcesses()]);
	writeFileSync(path.join(directory, 'stop'), '');
	const hung = await endAll(processes);
	return {faults: counts, hung, ...(await judgeStorm(directory, numProcesses, deaths))};
};

const CLUSTER_FAULTS = ['master killed', 'node cut off', 'node crashed'];

/** When the workers were killed, as far as the storm knows. @typedef {Map<number, number>} Deaths */

/** The same numbers for the same seed (mulberry32). @type {(seed: number) => () => number} */
const createRandom = seed => {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
};

/** @type {<T>(items: readonly T[], random: () => number) => T | undefined} */
const pick = (items, random) => items[Math.floor(items.length * random())];

/**
 * @typedef {object} KeptProcess
 * @property {(signal: NodeJS.Signals) => Promise<boolean>} kill
 * @property {Promise<void>} done - it has ended by itself
 * @property {() => void} giveUp
 * @property {() => string} said
 */

/** A process that is started again whenever it was killed. @type {(options: StormOptions, number: number) => KeptProcess} */
const keepRunning = ({directory, env}, number) => {
	/** @type {import('node:child_process').ChildProcess} */
	let child;
	let said = '';
	let isGivenUp = false;
	/** @type {() => void} */
	let resolveDone;
	/** @type {Promise<void>} */
	const done = new Promise(resolve => {
		resolveDone = resolve;
	});
	const start = () => {
		child = spawn(process.execPath, [PROCESS_NODE, directory, String(number)], {cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe']});
		child.stderr?.on('data', data => {
			said = `${said}${data}`.slice(-10_000);
		});
		child.once('exit', (_code, signal) => {
			if (signal === null || isGivenUp) resolveDone();
			else start();
		});
	};
	start();
	return {
		kill: async signal => {
			const victim = child;
			if (victim.exitCode !== null || victim.signalCode !== null) return false;
			const ended = new Promise(resolve => victim.once('exit', (_code, by) => resolve(by === signal)));
			victim.kill(signal);
			return Promise.race([ended, sleep(60_000, false)]);
		},
		done,
		giveUp: () => {
			isGivenUp = true;
			child.kill('SIGKILL');
		},
		said: () => said,
	};
};

/** Each says whether it came about. @type {(options: StormOptions, processes: KeptProcess[], deaths: Deaths, random: () => number) => Record<string, () => Promise<boolean>>} */
const createFaults = ({directory, control, env}, processes, deaths, random) => {
	const call = async (/** @type {string} */ program, /** @type {string[]} */ ...args) => (await execute(program, args, {env})).stdout;
	const running = () => {
		const events = readEvents(directory);
		const ended = new Set(events.filter(({event}) => event === 'end').map(keyOfBegin));
		return events.filter(event => event.event === 'begin' && !ended.has(keyOfBegin(event)) && commandOf(event.pid) === 'node');
	};
	/** @type {(pid: number) => boolean} */
	const kill = pid => {
		try {
			process.kill(pid, 'SIGKILL');
			return true;
		} catch {
			return false;
		}
	};
	const node = async () => pick((await call('qconf', '-sel').catch(() => '')).split('\n').filter(Boolean), random);
	const untilAllNodesAnswer = async () => {
		for (let i = 0; i < 120; i++) {
			const listing = await call('qstat', '-f', '-q', 'all.q').catch(() => '? u\n');
			if (!/ \S*u\S*$/m.test(listing)) return;
			await sleep(500);
		}
	};
	return {
		'worker killed': async () => {
			const victim = pick(running(), random);
			if (victim === undefined) return false;
			deaths.set(victim.pid, Date.now());
			return kill(victim.pid);
		},
		'shepherd killed': async () => {
			const victim = pick(running(), random);
			if (victim === undefined || commandOf(victim.ppid) !== 'sge_shepherd') return false;
			deaths.set(victim.pid, Date.now());
			return kill(victim.ppid);
		},
		'process-node killed': async () => (await pick(processes, random)?.kill('SIGKILL')) ?? false,
		'process-node told to end': async () => (await pick(processes, random)?.kill('SIGTERM')) ?? false,
		'queue-job suspended': async () => {
			const listing = await call('qstat', '-s', 'r').catch(() => '');
			const id = pick(
				[...listing.matchAll(/^ *(\d+) /gm)].flatMap(([, number]) => number ?? []),
				random,
			);
			if (id === undefined) return false;
			const isSuspended = await call('qmod', '-sj', id).then(
				() => true,
				() => false,
			);
			await sleep(3000);
			await call('qmod', '-usj', id).catch(() => undefined);
			return isSuspended;
		},
		'master killed': async () => {
			await control('stop-master');
			await sleep(1000 + 7000 * random());
			await control('start-master');
			return true;
		},
		'node cut off': async () => {
			const name = await node();
			if (name === undefined) return false;
			await control('cut', name);
			// Sometimes so long that its queue-jobs are given up, mostly not.
			await sleep(5000 + 35_000 * random() ** 2);
			await control('heal', name);
			await untilAllNodesAnswer();
			return true;
		},
		'node crashed': async () => {
			const name = await node();
			if (name === undefined) return false;
			const atMs = Date.now();
			for (const {pid} of running()) deaths.set(pid, atMs);
			await control('stop-node', name);
			await sleep(3000 * random());
			await control('start-node', name);
			await untilAllNodesAnswer();
			return true;
		},
	};
};

const keyOfTask = (/** @type {TaskEvent} */ {session, itask}) => `${session} ${itask}`;
const keyOfBegin = (/** @type {TaskEvent} */ event) => `${keyOfTask(event)} ${event.attempt} ${event.pid}`;

/** @type {(pid: number) => string} */
const commandOf = pid => {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
	} catch {
		return '';
	}
};

/** @type {(directory: string) => TaskEvent[]} */
const readEvents = directory => readLines(path.join(directory, 'events'));

/** @type {(file: string) => any[]} */
const readLines = file =>
	existsSync(file)
		? readFileSync(file, 'utf8')
				.split('\n')
				.filter(line => line !== '')
				.map(line => JSON.parse(line))
		: [];

/** @type {(processes: KeptProcess[]) => Promise<string[]>} */
const endAll = async processes => {
	const limit = new AbortController();
	const late = sleep(END_WITHIN_MS, 'late', {signal: limit.signal}).catch(() => 'late');
	const ends = await Promise.all(processes.map(({done}) => Promise.race([done, late])));
	limit.abort();
	return processes.flatMap(({giveUp, said}, i) => {
		if (ends[i] !== 'late') return [];
		giveUp();
		return [`process ${i}: ${said()}`];
	});
};

/** @type {(directory: string, numProcesses: number, deaths: Deaths) => Promise<Omit<StormReport, 'faults' | 'hung'>>} */
const judgeStorm = async (directory, numProcesses, deaths) => {
	/** @type {Map<string, string>} */
	const maps = new Map();
	for (let i = 0; i < numProcesses; i++) {
		for (const {workDir, outcome} of readLines(path.join(directory, `maps.${i}`))) maps.set(workDir, outcome);
	}
	const lost = [...maps].filter(([, outcome]) => outcome !== 'right').map(entry => entry.join(': '));
	/** Attempts whose worker may have lived on, by session, chunk and number. @type {Set<string>} */
	const unreached = new Set();
	let numTasks = 0;
	for (const name of readdirSync(path.join(directory, 'maps')).filter(found => !found.startsWith('.'))) {
		const {manifest, journal} = await readWorkDir(path.join(directory, 'maps', name));
		numTasks += manifest.numTasks ?? 0;
		const perChunk = (manifest.numTasks ?? 0) / (manifest.numChunks ?? 0);
		for (const {kind, ichunk = 0, attempt} of journal) {
			if (kind !== 'node-lost') continue;
			for (let i = 0; i < perChunk; i++) unreached.add(`${manifest.session} ${perChunk * ichunk + i} ${attempt}`);
		}
	}
	/** @type {Map<string, TaskEvent[]>} */
	const ends = new Map();
	/** @type {Map<string, number>} */
	const begins = new Map();
	/** @type {TaskEvent[]} */
	const twice = [];
	let numElsewhere = 0;
	for (const event of readEvents(directory)) {
		const key = keyOfTask(event);
		if (event.event === 'end') ends.set(key, [...(ends.get(key) ?? []), event]);
		else {
			begins.set(key, (begins.get(key) ?? 0) + 1);
			const before = ends.get(key) ?? [];
			if (before.some(({attempt}) => unreached.has(`${key} ${attempt}`))) numElsewhere++;
			else if (before.some(({pid, timeMs}) => (deaths.get(pid) ?? Number.POSITIVE_INFINITY) - timeMs > AT_RISK_MS)) twice.push(event);
		}
	}
	const numBegunAgain = [...begins.values()].reduce((sum, count) => sum + count - 1, 0);
	return {numMaps: maps.size, numTasks, lost, numBegunAgain, twice, numElsewhere};
};
