/** Ends a map from outside: no queue-job of it or of its reruns stays in the queue. */
import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {stopMap} from '../end-map.js';
import type {Engine, JobStatus} from '../engines/engine.js';
import {PoolError} from '../errors.js';
import {type FoundMap, findMap} from '../find-map.js';
import {cancelPath, MANIFEST, ownerPath, parseJobName, parseOwnerName} from '../layout.js';
import {lookAtOwner} from '../look-at-owner.js';
import type {PoolOptions} from '../options.js';
import {realFiles} from '../ports.js';
import {openWorkDir} from '../read/open-work-dir.js';
import {DEFINING, recordedOptions, requireEngine} from '../recorded-options.js';
import {resumeMap} from '../resume-map.js';
import type {ChooseEngine} from '../run-map.js';
import {listReruns} from './merge-reruns.js';
import {summariseMap} from './summarise-map.js';

export type CancelRequest = {
	readonly workDir: string;
	/** Where its scheduler is, if that is other than it was. */
	readonly options: PoolOptions;
	readonly chooseEngine: ChooseEngine;
	/** One line for the person at the terminal. */
	readonly tell: (line: string) => void;
	/** How long the process that works there is given to end its map. */
	readonly waitMs?: number;
};

export type CancelledMap = {
	readonly workDir: string;
	readonly session: string;
	/** `had-ended`: there was nothing to do. `by-its-process`: that was alive, and was asked to. `here`: nobody worked there. */
	readonly how: 'had-ended' | 'by-its-process' | 'here';
	/** The ids of the queue-jobs that were in the queue, and are not any more. */
	readonly removed: readonly string[];
};

/**
 * Done twice it changes nothing.
 *
 * @returns One for the map, after those of its reruns.
 * @throws PoolError `ERR_POOL_OWNED` when its process does not end it; `ERR_POOL_OUTAGE` when the queue does not answer, or queue-jobs stay in it; `ERR_POOL_RESUME` when there is no map.
 */
export const cancelMap = async (request: CancelRequest): Promise<CancelledMap[]> => {
	const map = await findMap(resolve(request.workDir));
	const done: CancelledMap[] = [];
	for (const {path} of listReruns(map.workDir, await realFiles.list(map.workDir)).toReversed()) {
		if (existsSync(join(path, MANIFEST))) done.push(await cancelOne(await findMap(path), request));
	}
	done.push(await cancelOne(map, request));
	return done;
};

const cancelOne = async (map: FoundMap, request: CancelRequest): Promise<CancelledMap> => {
	const {manifest, workDir} = map;
	const {session} = manifest;
	const engine = await engineOf(map, request);
	const before = await listJobs(engine, map);
	const end = (how: CancelledMap['how'], after: readonly JobStatus[]): CancelledMap => {
		const stay = new Set(after.map(({id}) => id));
		return {workDir, session, how, removed: how === 'had-ended' ? [] : before.map(({id}) => id).filter(id => !stay.has(id))};
	};
	const wasAsked = await askOwner(map, request);
	// Every task had its result meanwhile, and all went with that.
	if (!existsSync(join(workDir, MANIFEST))) return end('by-its-process', await listJobs(engine, map));
	const isOver = summariseMap(await openWorkDir(workDir), Date.now()).end === 'ended';
	// What has brought the last results may be in the queue for a moment more.
	if (isOver && (await listUntilLeft(engine, map, () => true)).length === 0) return end(wasAsked ? 'by-its-process' : 'had-ended', []);
	const {state, ports, reducer} = await resumeMap(
		{workDir, options: request.options, chooseEngine: request.chooseEngine, keep: 'nothing', meant: undefined, isEnding: true},
		new AbortController().signal,
	);
	const reason = new PoolError('ERR_POOL_CANCELLED', 'somebody has cancelled the map by `qmr cancel`', {workDir});
	await stopMap(state, ports, reducer, {kind: 'cancel', reason});
	const isOurs = ({id, name, element}: JobStatus): boolean =>
		state.chunks.some(({attempts}) =>
			attempts.some(known => known.jobName === name && (known.jobId === id || (known.jobId === undefined && known.element === element))),
		);
	const after = await listUntilLeft(engine, map, isOurs);
	const stay = after.filter(isOurs);
	if (stay.length > 0) {
		const ids = stay.map(({id}) => id).join(', ');
		throw new PoolError('ERR_POOL_OUTAGE', `These queue-jobs of ${workDir} could not be removed: ${ids}. Try again later.`, {workDir});
	}
	if (after.length > 0)
		request.tell(
			`${after.map(({id}) => id).join(', ')} are called like queue-jobs of ${workDir}, but are none that it knows: they are left alone.`,
		);
	return end('here', after);
};

const engineOf = ({manifest, workDir}: FoundMap, {options, chooseEngine}: CancelRequest): Promise<Engine> => {
	const recorded = recordedOptions(manifest, options, workDir, new Set([...DEFINING, ...manifest.incompleteOptions]));
	return chooseEngine({...recorded, ...options, engine: requireEngine(manifest, options, workDir)});
};

/** By their names alone: of what is gone by itself, and of what no answer came for, too. */
const listJobs = async (engine: Engine, {manifest: {session}, workDir}: FoundMap): Promise<JobStatus[]> => {
	if (!engine.outlivesProcess) return [];
	try {
		const jobs = await engine.status();
		return jobs.filter(({name, state}) => state !== 'deleting' && parseJobName(session, name) !== undefined);
	} catch (cause) {
		const message = `The queue does not say which queue-jobs of ${workDir} are in it: ${(cause as Error).message}. Try again when it answers.`;
		throw new PoolError('ERR_POOL_OUTAGE', message, {workDir, cause});
	}
};

/** A queue lists for so long at most what has ended, or was removed. */
const LEAVING_MS = 15_000;
const LEAVING_LOOK_MS = 500;

/** Lists them when none of those that are meant is there any more, or when they stay. */
const listUntilLeft = async (engine: Engine, map: FoundMap, isMeant: (job: JobStatus) => boolean): Promise<JobStatus[]> => {
	for (const sinceMs = performance.now(); ; await sleep(LEAVING_LOOK_MS)) {
		const jobs = await listJobs(engine, map);
		if (!jobs.some(isMeant) || performance.now() - sinceMs >= LEAVING_MS) return jobs;
	}
};

const WAIT_MS = 120_000;
const LOOK_MS = 200;

/** @returns Whether there was a process to ask. When it resolves, there is none any more that could be seen from here. */
const askOwner = async ({workDir}: FoundMap, {tell, waitMs = WAIT_MS}: CancelRequest): Promise<boolean> => {
	const asked = new Set<number>();
	for (const sinceMs = performance.now(); ; await sleep(LOOK_MS)) {
		const names = await realFiles.list(workDir).catch(() => []);
		const owner = await lookAtOwner(workDir, names);
		if (owner.kind !== 'alive' && owner.kind !== 'elsewhere') return asked.size > 0;
		const number = Math.max(...names.flatMap(name => parseOwnerName(name) ?? []));
		if (!asked.has(number)) {
			tell(`The process ${owner.pid} on ${owner.host} works in ${workDir}: it is asked to end its map.`);
			await ask(cancelPath(workDir, number));
			asked.add(number);
		}
		if (performance.now() - sinceMs < waitMs) continue;
		// Who can't be seen may be gone: who claims the work_dir finds out.
		if (owner.kind === 'elsewhere') return true;
		throw new PoolError(
			'ERR_POOL_OWNED',
			`The process ${owner.pid} on ${owner.host} works in ${workDir}, and has not ended its map for ${Math.round(waitMs / 1000)} s. It is still asked to (${ownerPath(workDir, number)}); or end it there: kill ${owner.pid}. Then call this again.`,
			{workDir},
		);
	}
};

const ask = async (path: string): Promise<void> => {
	try {
		await realFiles.create(path, []);
	} catch (error) {
		// Somebody has asked already; or there is no work_dir any more.
		if (!['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
	}
};
