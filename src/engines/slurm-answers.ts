/** Reads the listing of Slurm's squeue. */
import type {JobState, JobStatus} from './engine.js';

/**
 * One line for each queue-job and each element of an array (`-r`); the name last, for names of others may hold anything. `-a`: what is in a hidden partition is
 * left out else, as if it had ended.
 */
export const listArguments = (user: string): string[] => ['-h', '-a', '-r', '-u', user, '-o', '%i|%T|%B|%r|%j'];

/**
 * The queue-jobs in the output of squeue with `listArguments`.
 *
 * @throws Error when there is text, and none of it is a line of such a listing.
 */
export const parseListing = (text: string): JobStatus[] => {
	const lines = text.split('\n').filter(line => line.trim() !== '');
	const matches = lines.map(line => /^(\d+(?:[_+]\d+)?)\|([A-Z_]+)\|([^|]*)\|(.*)\|([^|]*)$/.exec(line)).filter(match => match !== null);
	// A few lines may be the site's, or in the name of another queue-job.
	if (lines.length > 0 && matches.length === 0) throw new Error(`squeue printed no listing: ${lines.slice(0, 3).join(' ')}`);
	return matches.flatMap(([, id, word, host, reason, name]) =>
		toJobStatus(id as string, word as string, host as string, reason as string, name as string),
	);
};

const toJobStatus = (id: string, word: string, host: string, reason: string, name: string): JobStatus[] => {
	const state = toJobState(word, reason);
	if (state === undefined) return [];
	const element = /_(\d+)$/.exec(id)?.[1];
	// Why it waits or is held is most of what there is to be said.
	const isReasonTold = (state === 'held' || state === 'error') && reason !== '' && reason !== 'None';
	return [
		{
			id,
			name,
			state,
			...(element === undefined ? {} : {element: Number(element)}),
			rawState: isReasonTold ? `${word} (${reason})` : word,
			...(host === '' || host === 'n/a' ? {} : {host}),
		},
	];
};

/**
 * Slurm could not start it, has put it back, and holds it: nobody's wish. `launch failed …`, `user env retrieval failed …` (as with `--get-user-env` of the user's
 * own); `JobHoldMaxRequeue`: it was put back too often.
 */
const HELD_BY_A_FAILURE = /failed.requeued.held|JobHoldMaxRequeue/i;

/** Wishes of the user or of the site: `--hold`, `scontrol hold`, `--dependency`. */
const HELD_BY_A_WISH = /^(?:JobHeldUser|JobHeldAdmin|Dependency|DependencyNeverSatisfied)/;

/** The words of squeue(1); undefined for those of a queue-job that has ended. What is not known means "still there". */
export const toJobState = (word: string, reason: string): JobState | undefined => {
	switch (word) {
		case 'PENDING':
			if (HELD_BY_A_FAILURE.test(reason)) return 'error';
			return HELD_BY_A_WISH.test(reason) ? 'held' : 'pending';
		// Its node is being prepared or booted.
		case 'CONFIGURING':
		case 'REQUEUED':
		case 'REQUEUE_FED':
			return 'pending';
		case 'REQUEUE_HOLD':
		case 'RESV_DEL_HOLD':
			return 'held';
		// What a site does with exit statuses that it has named.
		case 'SPECIAL_EXIT':
			return 'error';
		case 'SUSPENDED':
		case 'STOPPED':
			return 'suspended';
		case 'COMPLETED':
		case 'FAILED':
		case 'CANCELLED':
		case 'TIMEOUT':
		case 'OUT_OF_MEMORY':
		case 'NODE_FAIL':
		case 'PREEMPTED':
		case 'BOOT_FAIL':
		case 'DEADLINE':
		case 'REVOKED':
			return undefined;
		// COMPLETING too: its processes are ended, and may be writing still.
		default:
			return 'running';
	}
};
