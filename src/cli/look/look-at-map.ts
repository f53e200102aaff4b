/** All that `qmr status` tells of a map: what the journal says, corrected by what is in the files of chunks that failed or are being computed. */
import {type ChunkSummary, type MapSummary, summariseMap} from '../../later/summarise-map.js';
import {parseRerunName, rerunPath} from '../../layout.js';
import {lookAtOwner, type OwnerView} from '../../look-at-owner.js';
import {type KnownChunk, type OpenWorkDir, openWorkDir} from '../../read/open-work-dir.js';
import {readTasks} from '../../read/read-work-dir.js';
import {countTasks, type TaskCounts} from '../../task-counts.js';
import {requireWhole} from '../act/require-whole.js';
import {createErrorGroups, type ErrorGroup} from './error-groups.js';

export type MapView = {
	readonly map: OpenWorkDir;
	/** Its `counts` are exact, those of its chunks as the journal has them. */
	readonly summary: MapSummary;
	readonly owner: OwnerView;
	/** Of the first thousand failures and cancelled tasks, or of some more: those of a chunk are read together. */
	readonly groups: readonly ErrorGroup[];
	/** Where it is gone on with: in its rerun, if that has tasks which are open. */
	readonly openDir: string;
	readonly atMs: number;
};

/** When all of a million tasks fail, the first thousand tell enough. */
const MAX_FAILURES = 1000;

export const lookAtMap = async (workDir: string): Promise<MapView> => {
	const map = await openWorkDir(workDir);
	requireWhole(map.workDir, map.manifest);
	const atMs = Date.now();
	const summary = summariseMap(map, atMs);
	const owner = await lookAtOwner(map.workDir, map.names);
	const groups = createErrorGroups();
	const counts = {...summary.counts};
	const isAgain = map.names.some(name => parseRerunName(name) !== undefined);
	let numToRead = 0;
	const toRead = summary.chunks.filter((chunk, i) => {
		if (isBegun(chunk, map.chunks[i] as KnownChunk)) return true;
		// Of chunks that are decided and have no failure the journal tells all.
		const numMissing = chunk.numFailed + chunk.numCancelled;
		// Of tasks that were computed again only their files tell.
		const isWanted = numMissing > 0 && (isAgain || numToRead < MAX_FAILURES);
		numToRead += numMissing;
		return isWanted;
	});
	const only = toRead.map(({ichunk}) => map.chunks[ichunk] as KnownChunk);
	let numRead = 0;
	let openRerun: number | undefined;
	for await (const tasks of readTasks(map, {values: false, only})) {
		correct(counts, toRead[numRead++] as ChunkSummary, countTasks(tasks));
		for (const task of tasks) {
			groups.add(task);
			if (task.outcome === undefined) openRerun ??= task.rerun;
		}
	}
	const openDir = openRerun === undefined ? map.workDir : rerunPath(map.workDir, openRerun);
	return {map, summary: {...summary, counts}, owner, groups: groups.all(), openDir, atMs};
};

/** Whether some of its tasks, or all when its process has not seen it, may have their outcome. */
const isBegun = ({state, numTasks}: ChunkSummary, {files}: KnownChunk): boolean =>
	state !== 'done' && state !== 'failed' && files.some(({kind}) => kind === 'out' || (kind === 'part' && numTasks > 1));

type Outcomes = Pick<TaskCounts, 'done' | 'failed' | 'cancelled'>;

/** Of a chunk that is being computed some tasks have their outcome. */
const correct = (counts: {-readonly [Key in keyof TaskCounts]: number}, chunk: ChunkSummary, {done, failed, cancelled}: Outcomes): void => {
	const isDecided = chunk.state === 'done' || chunk.state === 'failed';
	const {numTasks, numFailed, numCancelled} = chunk;
	const before = isDecided
		? {done: numTasks - numFailed - numCancelled, failed: numFailed, cancelled: numCancelled}
		: {done: 0, failed: 0, cancelled: 0};
	counts.done += done - before.done;
	counts.failed += failed - before.failed;
	counts.cancelled += cancelled - before.cancelled;
	const change = done + failed + cancelled - before.done - before.failed - before.cancelled;
	if (chunk.state === 'running') counts.running -= change;
	else counts.pending -= change;
};

/** Whether nothing is left to be computed. */
export const isComplete = ({summary: {counts}, map: {firstMissing}}: Pick<MapView, 'summary' | 'map'>): boolean =>
	counts.running + counts.pending === 0 && firstMissing === undefined;

/** A process of another machine that lives gives a sign every 15 s; files may be shown late, and clocks differ. */
const SILENCE_MS = 120_000;

/** Whether a process works in it, as far as can be seen. */
export const isWatched = ({owner, atMs}: Pick<MapView, 'owner' | 'atMs'>): boolean =>
	owner.kind === 'alive' || (owner.kind === 'elsewhere' && atMs - owner.lastSignAt.getTime() < SILENCE_MS);
