/**
 * One process works in a work_dir at a time. It has made `owner.1` there, and appends to it as long as it lives; who takes over makes `owner.2`, and so on.
 */
import {PoolError} from './errors.js';
import {ownerPath, parseOwnerName} from './layout.js';
import type {Clock, Files, Ports} from './ports.js';
import {readWhole} from './read/read-whole.js';

/** What tells one process from all others, also from those that get its number later. */
export type ProcessIdentity = {
	readonly host: string;
	readonly bootId: string;
	/** Processes of a container have numbers of their own. */
	readonly pidNamespace: string;
	readonly pid: number;
	/** In ticks since the boot. */
	readonly startTime: string;
};

export type Processes = {
	readonly self: () => ProcessIdentity;
	/** Undefined when it can't be seen from here: it is of another machine, boot or container. */
	readonly isAlive: (other: ProcessIdentity) => boolean | undefined;
};

export type Owner = {
	/** Of the file: higher than that of all who had the work_dir before. */
	readonly number: number;
	/** Aborted, with a PoolError `ERR_POOL_OWNED` as its reason, when another process was seen to have taken over. */
	readonly deposed: AbortSignal;
	/** @throws PoolError `ERR_POOL_OWNED` when another process has taken over; what the file system says when that can't be seen. */
	readonly check: () => Promise<void>;
	/** Appends no more: then the work_dir may be removed. */
	readonly rest: () => Promise<void>;
	/** Lets go: then another process may take over at once. */
	readonly release: () => Promise<void>;
};

/** So often an owner shows that it lives. */
const HEARTBEAT_MS = 15_000;
/** After four heartbeats that did not come, an owner that can't be seen counts as gone. By the clock of the observer: clocks of machines differ. */
const STANDSTILL_MS = 60_000;
/** So often an observer looks whether the owner lives. */
const LOOK_MS = 5000;

const HEARTBEAT = '.';
/** The last line of an owner's file, once it has let go. */
export const OWNER_RELEASED = 'released\n';

/**
 * Makes this process the owner of a work_dir. An owner that is seen to be dead, or has let go, is followed at once; of one that can't be seen from here, a minute is waited for a sign of life.
 *
 * @throws PoolError `ERR_POOL_OWNED` when it has a living owner; the reason of the signal.
 */
export const claimWorkDir = async (
	workDir: string,
	ports: Pick<Ports, 'files' | 'clock' | 'random' | 'tell'>,
	processes: Processes,
	signal: AbortSignal = NEVER_ABORTED,
): Promise<Owner> => {
	const token = Buffer.from(ports.random.bytes(8)).toString('hex');
	const record = `${JSON.stringify({...processes.self(), token})}\n`;
	const observer = createObserver(workDir, ports, processes);
	for (;;) {
		signal.throwIfAborted();
		const newest = await findNewest(workDir, ports.files);
		if (newest === 0 || (await observer.isGone(newest))) {
			const number = newest + 1;
			if (await create(ownerPath(workDir, number), record, ports.files)) return own(workDir, number, ports);
			// Another process was faster: it is looked at like any owner.
			continue;
		}
		await ports.clock.sleep(LOOK_MS, signal);
	}
};

const NEVER_ABORTED = new AbortController().signal;

/** Who computes tasks of a map again owns the map, too: until it is over nobody else does. */
export const withOwner = (owner: Owner, first: Owner): Owner => ({
	number: owner.number,
	deposed: AbortSignal.any([owner.deposed, first.deposed]),
	check: async () => {
		await owner.check();
		await first.check();
	},
	rest: async () => {
		await owner.rest();
		await first.release();
	},
	release: async () => {
		// The one is let go whatever becomes of the other.
		await Promise.all([owner.release(), first.release()]);
	},
});

const findNewest = async (workDir: string, files: Pick<Files, 'list'>): Promise<number> =>
	Math.max(0, ...(await files.list(workDir)).flatMap(name => parseOwnerName(name) ?? []));

/** @returns False when it exists, made by another. */
const create = async (path: string, record: string, files: Pick<Files, 'create' | 'openSource'>): Promise<boolean> => {
	try {
		await files.create(path, [[Buffer.from(record)]]);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		// A network file system that asks its server twice may say so of what this process has made itself.
		return (await readWhole(files, path))?.toString() === record;
	}
};

type Observer = {
	/** @throws PoolError `ERR_POOL_OWNED` when this owner lives. */
	readonly isGone: (number: number) => Promise<boolean>;
};

const createObserver = (workDir: string, {files, clock, tell}: Pick<Ports, 'files' | 'clock' | 'tell'>, processes: Processes): Observer => {
	let seen: {readonly number: number; readonly size: number; readonly sinceMs: number} | undefined;
	return {
		isGone: async number => {
			const text = (await readWhole(files, ownerPath(workDir, number)))?.toString() ?? '';
			const end = text.indexOf('\n');
			if (end !== -1 && text.includes(OWNER_RELEASED, end)) return true;
			const identity = parseIdentity(text.slice(0, Math.max(end, 0)));
			const isAlive = identity && processes.isAlive(identity);
			if (isAlive === true) throw refuse(workDir, `The process ${identity?.pid} on ${identity?.host} works in it.`);
			if (isAlive === false) return true;
			const nowMs = clock.elapsedMs();
			if (seen?.number !== number) {
				const who = identity === undefined ? 'An unknown process' : `The process ${identity.pid} on ${identity.host}`;
				tell(
					`queue-map-reduce: ${who} had ${workDir} last, and can't be seen from here: waiting ${STANDSTILL_MS / 1000} s for a sign of life before taking over`,
				);
				seen = {number, size: text.length, sinceMs: nowMs};
				return false;
			}
			if (seen.size !== text.length) {
				throw refuse(workDir, `The process ${identity?.pid ?? '?'} on ${identity?.host ?? 'another machine'} works in it.`);
			}
			return nowMs - seen.sinceMs >= STANDSTILL_MS;
		},
	};
};

export const parseIdentity = (line: string): ProcessIdentity | undefined => {
	try {
		const {host, bootId, pidNamespace, pid, startTime} = JSON.parse(line) as ProcessIdentity;
		return {host, bootId, pidNamespace, pid, startTime};
	} catch {
		// Its writer may be at it.
		return undefined;
	}
};

const refuse = (workDir: string, who: string): PoolError =>
	new PoolError(
		'ERR_POOL_OWNED',
		`The work_dir ${workDir} belongs to another process. ${who} End that one, or wait for it: two can't drive one map.`,
		{workDir},
	);

const own = (workDir: string, number: number, {files, clock}: {readonly files: Files; readonly clock: Clock}): Owner => {
	const deposed = new AbortController();
	const resting = new AbortController();
	const path = ownerPath(workDir, number);

	const check = async (): Promise<void> => {
		deposed.signal.throwIfAborted();
		const newest = await findNewest(workDir, files);
		if (newest <= number) return;
		const text = (await readWhole(files, ownerPath(workDir, newest)))?.toString() ?? '';
		const next = parseIdentity(text.slice(0, Math.max(text.indexOf('\n'), 0)));
		const who = next === undefined ? 'Another process' : `The process ${next.pid} on ${next.host}`;
		deposed.abort(refuse(workDir, `${who} has taken it over.`));
		deposed.signal.throwIfAborted();
	};

	const beat = async (): Promise<void> => {
		for (;;) {
			await clock.sleep(HEARTBEAT_MS, resting.signal);
			if (resting.signal.aborted) return;
			// A file system that is out of order is for the steps of the map to wait out. If others see it in order, they take over, and that is seen here once it is back.
			await files.append(path, HEARTBEAT, {durable: false}).catch(() => undefined);
			await check().catch(() => undefined);
		}
	};

	const beating = beat();
	const rest = async (): Promise<void> => {
		resting.abort();
		await beating;
	};
	return {
		number,
		deposed: deposed.signal,
		check,
		rest,
		release: async () => {
			await rest();
			await files.append(path, OWNER_RELEASED, {durable: false});
		},
	};
};
