/** Queue-jobs that are child processes of this machine and have outlived their process, for it was killed at once (SIGKILL): only who goes on with the map can wait for them, or end them. */
import {hostname} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {isForeign} from './check-engine.js';
import {localSlots} from './choose-engine.js';
import type {Engine, JobStatus} from './engines/engine.js';
import {jobName, LAUNCHER, ownerPath, WORKER_SCRIPT} from './layout.js';
import type {MapOptions, MapState} from './map-state.js';
import type {PoolOptions} from './options.js';
import {OWNER_RELEASED, type Processes, parseIdentity} from './owner.js';
import type {Ports} from './ports.js';
import {type GroupLeader, isRunning, listGroupLeaders} from './processes.js';
import {readWhole} from './read/read-whole.js';

/** What it was submitted for, and the process that it is. */
export type LeftJob = {readonly ichunk: number; readonly attempt: number; readonly leader: GroupLeader};

/**
 * To be called by the owner of the work_dir, before its files are listed: what has ended by then has left its result.
 *
 * @returns Undefined when they can't be seen from here: queue-jobs of a scheduler, or of another machine, boot or container.
 */
export const findLeftJobs = async (
	{workDir, owner}: Pick<MapState, 'workDir' | 'owner'>,
	{engine, files}: Pick<Ports, 'engine' | 'files'>,
	processes: Pick<Processes, 'isAlive'>,
): Promise<LeftJob[] | undefined> => {
	if (engine.outlivesProcess || isForeign(engine.name)) return undefined;
	let hasAnyLeft = false;
	for (let number = 1; number < owner.number; number++) {
		const text = (await readWhole(files, ownerPath(workDir, number)))?.toString() ?? '';
		const end = text.indexOf('\n');
		// Who has let go has ended them before.
		if (end !== -1 && text.includes(OWNER_RELEASED, end)) continue;
		const identity = parseIdentity(text.slice(0, Math.max(end, 0)));
		if (identity === undefined || processes.isAlive(identity) === undefined) return undefined;
		hasAnyLeft = true;
	}
	return hasAnyLeft ? listGroupLeaders().flatMap(leader => toLeftJob(leader, workDir) ?? []) : [];
};

/** `sh WORK_DIR/launch.sh ICHUNK ATTEMPT …`, which becomes `node … WORK_DIR/worker_node_script.cjs WORK_DIR ICHUNK ATTEMPT`. What somebody has typed has other arguments. */
const toLeftJob = (leader: GroupLeader, workDir: string): LeftJob | undefined => {
	const words = leader.arguments;
	const worker = words.indexOf(`${workDir}/${WORKER_SCRIPT}`);
	const rest =
		words[1] === `${workDir}/${LAUNCHER}` ? words.slice(2, 4) : worker > 0 && words[worker + 1] === workDir ? words.slice(worker + 2) : [];
	const [ichunk = '', attempt = '', ...more] = rest;
	return more.length === 0 && /^\d+$/.test(ichunk) && /^[1-9]\d*$/.test(attempt)
		? {ichunk: Number(ichunk), attempt: Number(attempt), leader}
		: undefined;
};

/** They are in slots that the engine of this process takes for free: so only as many queue-jobs may live as there are slots. */
export const leaveSlots = (options: MapOptions, left: readonly LeftJob[] | undefined, given: PoolOptions): MapOptions =>
	left === undefined || left.length === 0 ? options : {...options, maxQueuedJobs: Math.min(options.maxQueuedJobs, localSlots(given))};

/** The same ports with an engine to which these are queue-jobs like its own. */
export const withLeftJobs = (ports: Ports, left: readonly LeftJob[], state: Pick<MapState, 'session' | 'chunks'>): Ports => {
	if (left.length === 0) return ports;
	const what = left.length === 1 ? 'a queue-job' : `${left.length} queue-jobs`;
	ports.tell(
		`queue-map-reduce: ${what} of the process before this one, which was killed, still ${left.length === 1 ? 'runs' : 'run'} on this machine`,
	);
	return {...ports, engine: adopt(ports.engine, left, state)};
};

const adopt = (engine: Engine, left: readonly LeftJob[], state: Pick<MapState, 'session' | 'chunks'>): Engine => {
	// Its number may never have been noted.
	const idOf = ({ichunk, attempt, leader}: LeftJob): string => state.chunks[ichunk]?.attempts[attempt - 1]?.jobId ?? `left-${leader.pid}`;
	return {
		...engine,
		status: async notBeforeMs => [
			...(await engine.status(notBeforeMs)),
			...left
				.filter(({leader}) => isRunning(leader))
				.map((job): JobStatus => {
					const name = jobName(state.session, job.ichunk, job.attempt);
					return {id: idOf(job), name, state: 'running', rawState: 'running', host: hostname()};
				}),
		],
		remove: async ids => {
			await engine.remove(ids);
			const meant = new Set(ids);
			await Promise.all(left.flatMap(job => (meant.has(idOf(job)) ? [endGroup(job.leader)] : [])));
		},
		explain: async question =>
			left.some(job => idOf(job) === question.id)
				? {failed: true, kind: 'killed', reason: 'nobody saw how, for the process that had begun it was killed before', host: hostname()}
				: engine.explain(question),
	};
};

const LOOK_MS = 20;
/** One that waits for a disk or a network file system dies once that answers. */
const MAX_WAIT_MS = 5000;

const endGroup = async (leader: GroupLeader): Promise<void> => {
	for (let waitedMs = 0; isRunning(leader) && waitedMs < MAX_WAIT_MS; waitedMs += LOOK_MS) {
		kill(leader.pid);
		await sleep(LOOK_MS);
	}
};

const kill = (pid: number): void => {
	try {
		process.kill(-pid, 'SIGKILL');
	} catch {
		// It ended a moment ago.
	}
};
