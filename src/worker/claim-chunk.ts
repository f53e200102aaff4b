/**
 * Claims one chunk after the other for this queue-job. Who can create the file of a claim has the chunk: nobody else can. Nothing here knows processes, so
 * that a simulation can run it.
 */
import {encodeClaim} from '../claim-file.js';
import {claimPath, type Home, parseChunkFile, tasksPath} from '../layout.js';
import type {ChunkId} from './chunk-id.js';
import {whenThereIsSpace} from './durable-file.js';
import {systemCodeOf, WorkerError} from './worker-error.js';
import type {GrowingFile, WorkerPorts} from './worker-files.js';

export type ClaimedChunk = {readonly id: ChunkId; readonly home: Home};

export type Claimant = {
	/** What the queue-job was submitted for. */
	readonly id: ChunkId;
	readonly host: string;
	readonly jobId?: string;
	/** Chunks from this one on may be claimed. */
	readonly numJobs: number;
	/** Undefined while it is not known: then a chunk is there when its tasks are. */
	readonly numChunks: number | undefined;
	readonly graceMs: number;
	/** How much it has written to stdout and stderr by now. */
	readonly outputBytes: () => Pick<Home, 'stdoutFrom' | 'stderrFrom'>;
};

export type Claims = {
	/**
	 * The next chunk, which is this worker's from now on; undefined when none is left.
	 *
	 * @throws WorkerError when that can't be seen or said.
	 */
	readonly next: () => Promise<ClaimedChunk | undefined>;
};

/**
 * Each queue-job begins with a lane of its own, every `numJobs`-th chunk: in its lane it meets nobody, and chunks are still computed about in their order. At the end of its
 * lane, or once somebody else was there, it lists what is left, and begins at a place in that list that is not where the others begin.
 */
export const createClaims = (claimant: Claimant, ports: WorkerPorts): Claims => {
	const {id, numJobs} = claimant;
	const lane = id.ichunk % numJobs;
	let inLane: number | undefined = id.ichunk + numJobs;
	let left: number[] = [];

	/** @returns Undefined when a listing shows none, or the work_dir is gone. */
	const choose = async (): Promise<number | undefined> => {
		if (inLane !== undefined && (await isThere(claimant, inLane, ports))) {
			inLane += numJobs;
			return inLane - numJobs;
		}
		inLane = undefined;
		if (left.length === 0) left = rotate(await listLeft(claimant, ports), lane / numJobs);
		return left.shift();
	};

	return {
		next: async () => {
			for (;;) {
				const ichunk = await choose();
				if (ichunk === undefined) return undefined;
				const home = {ichunk: id.ichunk, attempt: id.attempt, ...claimant.outputBytes()};
				const outcome = await claim(claimant, ichunk, home, ports);
				if (outcome === 'claimed') return {id: {workDir: id.workDir, ichunk, attempt: 1}, home};
				if (outcome === 'gone') return undefined;
				// Somebody is where this one wanted to be: what else it knew is old, too.
				inLane = undefined;
				left = [];
			}
		},
	};
};

const isThere = async ({id: {workDir}, numChunks}: Claimant, ichunk: number, {files}: WorkerPorts): Promise<boolean> => {
	if (numChunks !== undefined) return ichunk < numChunks;
	try {
		await (await files.openSource(tasksPath(workDir, ichunk))).close();
		return true;
	} catch (error) {
		if (systemCodeOf(error) === undefined) throw error;
		// A listing tells more.
		return false;
	}
};

/** In their order. None when there is no work_dir any more: its map is over. */
const listLeft = async ({id: {workDir}, numJobs}: Claimant, {files}: WorkerPorts): Promise<number[]> => {
	let names: readonly string[];
	try {
		names = await files.list(workDir);
	} catch (error) {
		const code = systemCodeOf(error);
		if (code === undefined) throw error;
		if (code === 'ENOENT') return [];
		throw new WorkerError('filesMissing', `can't list ${workDir}: ${(error as Error).message}`, {cause: error});
	}
	const left = new Set<number>();
	const claimed: number[] = [];
	for (const name of names) {
		const file = parseChunkFile(name);
		if (file?.kind === 'tasks' && file.ichunk >= numJobs) left.add(file.ichunk);
		else if (file?.kind === 'claim') claimed.push(file.ichunk);
	}
	for (const ichunk of claimed) left.delete(ichunk);
	return [...left].sort((a, b) => a - b);
};

const rotate = (list: readonly number[], part: number): number[] => {
	const from = Math.floor(part * list.length);
	return [...list.slice(from), ...list.slice(0, from)];
};

/** With a grace time of nothing a claim would be given up while it is made. */
const MIN_FILL_MS = 1000;

const claim = async (
	{id: {workDir}, host, jobId, graceMs}: Claimant,
	ichunk: number,
	home: Home,
	{files, clock}: WorkerPorts,
): Promise<'claimed' | 'taken' | 'gone'> => {
	const path = claimPath(workDir, ichunk);
	const beganMs = clock.elapsedMs();
	const file = await create(path, {files, clock});
	if (typeof file === 'string') return file;
	const bytes = encodeClaim({...(jobId === undefined ? {} : {jobId}), host, home});
	for (let done = 0; done < bytes.length; ) {
		done += await whenThereIsSpace(clock, path, () => file.write(bytes.subarray(done), done));
	}
	await file.close();
	// For the grace time an empty claim is waited for; then the chunk is given to somebody else.
	if (clock.elapsedMs() - beganMs > Math.max(graceMs / 2, MIN_FILL_MS)) {
		throw new WorkerError('outputFailed', `it took too long to write ${path}: the chunk may be another's by now`);
	}
	return 'claimed';
};

const create = async (path: string, {files, clock}: WorkerPorts): Promise<GrowingFile | 'taken' | 'gone'> => {
	try {
		return await whenThereIsSpace(clock, path, () => files.create(path));
	} catch (error) {
		const code = error instanceof WorkerError ? systemCodeOf(error.cause) : undefined;
		if (code === 'EEXIST') return 'taken';
		// The map is over, and has removed it.
		if (code === 'ENOENT') return 'gone';
		throw error;
	}
};
