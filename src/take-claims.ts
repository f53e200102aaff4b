/** Takes note of the chunks that queue-jobs have claimed: from then on each has a first attempt like any other. */
import {type Claim, parseClaim} from './claim-file.js';
import {type ChunkFile, claimPath, jobName} from './layout.js';
import {type AttemptState, type ChunkState, createAttempt, isClaimable, isUnclaimed, type MapState} from './map-state.js';
import type {Files} from './ports.js';
import {readWhole} from './read/read-whole.js';

type FilesPort = {readonly files: Pick<Files, 'openSource'>};

/** @returns Whether there was anything new. */
export const takeClaims = async (state: MapState, found: readonly ChunkFile[], {files}: FilesPort): Promise<boolean> => {
	if (state.options.numJobs === undefined) return false;
	let isNew = false;
	for (const {kind, ichunk} of found) {
		if (kind !== 'claim') continue;
		const chunk = state.chunks[ichunk];
		if (chunk === undefined || !isToBeRead(state, chunk)) continue;
		isNew = take(state, chunk, await readClaim(files, state.workDir, ichunk)) || isNew;
	}
	return isNew;
};

/** Undefined when it can't be read, or not yet. */
export const readClaim = async (files: Pick<Files, 'openSource'>, workDir: string, ichunk: number): Promise<Claim | undefined> =>
	parseClaim((await readWhole(files, claimPath(workDir, ichunk)))?.toString() ?? '');

/** A queue-job that was removed is gone for all chunks that it has claimed. */
export const shareRemovals = ({chunks}: MapState): void => {
	for (const {attempts} of chunks) {
		for (const attempt of attempts) {
			const {home} = attempt;
			if (home !== undefined && chunks[home.ichunk]?.attempts[home.attempt - 1]?.isRemoved) attempt.isRemoved = true;
		}
	}
};

/** Nobody is known to have it, or only that somebody has. */
const isToBeRead = (state: MapState, chunk: ChunkState): boolean => {
	if (chunk.decision.kind !== 'open') return false;
	const [first] = chunk.attempts;
	return first === undefined
		? isUnclaimed(state, chunk)
		: isClaimable(state, chunk.chunk.ichunk) && first.jobId === undefined && first.home === undefined;
};

const take = (state: MapState, chunk: ChunkState, claim: Claim | undefined): boolean => {
	const {ichunk} = chunk.chunk;
	const [known] = chunk.attempts;
	if (claim?.home.ichunk === ichunk) {
		// A process-node has claimed it to submit it, maybe one before this, which has not come to that.
		if (known === undefined) state.toSubmit.add(chunk);
		return known === undefined;
	}
	const attempt = known ?? createAttempt(1, jobName(state.session, ichunk, 1), false);
	if (known === undefined) chunk.attempts.push(attempt);
	if (claim !== undefined) claimFor(state, attempt, claim);
	else if (known !== undefined) return false;
	const {jobName: name, jobId, host, home} = attempt;
	state.journal.note({
		event: 'claimed',
		ichunk,
		attempt: 1,
		jobName: name,
		...(jobId === undefined ? {} : {jobId}),
		...(host === undefined ? {} : {host}),
		...(home === undefined ? {reason: 'by whom can not be read yet'} : {home}),
	});
	return true;
};

/** Its queue-job is one that is known already, by what it was submitted for. */
const claimFor = (state: MapState, attempt: AttemptState, {home, host}: Claim): void => {
	const submitted = state.chunks[home.ichunk]?.attempts[home.attempt - 1];
	attempt.home = home;
	attempt.host = host;
	attempt.jobName = submitted?.jobName ?? jobName(state.session, home.ichunk, home.attempt);
	attempt.element = submitted?.element;
	attempt.jobId = submitted?.jobId;
	attempt.isRemoved = submitted?.isRemoved ?? false;
	// It was not known under which name to look for it.
	attempt.job = {kind: 'unknown'};
};
