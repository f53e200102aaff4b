/** What can be seen and done of the queue-jobs of a real Slurm from outside. Whatever is missing rejects. */
import {vi} from 'vitest';
import {call} from './grid-engine.js';

export type SlurmJob = {
	/** As `7`, or `7_3` of an element of an array. */
	readonly id: string;
	readonly name: string;
	readonly owner: string;
	/** As `RUNNING`. */
	readonly state: string;
	readonly reason: string;
};

const TIMEOUT_MS = 90_000;

/** The queue-jobs of everybody, each element of an array by itself. */
export const listJobs = async (): Promise<SlurmJob[]> =>
	(await call('squeue', ['-h', '-r', '-o', '%i|%u|%T|%r|%j']))
		.split('\n')
		.filter(line => line !== '')
		.map(line => {
			const [id = '', owner = '', state = '', reason = '', name = ''] = line.split('|');
			return {id, owner, state, reason, name};
		});

/** Waits until none of these queue-jobs is listed. */
export const untilGone = (isMeant: (job: SlurmJob) => boolean): Promise<void> =>
	vi.waitFor(
		async () => {
			const left = (await listJobs()).filter(isMeant);
			if (left.length > 0) throw new Error(`still in the queue: ${JSON.stringify(left)}`);
		},
		{timeout: TIMEOUT_MS, interval: 500},
	);

/** Waits until squeue lists a queue-job with such a state; gives it. */
export const untilState = (id: string, state: RegExp): Promise<string> =>
	vi.waitUntil(
		async () => {
			const found = (await listJobs().catch(() => [])).find(job => job.id === id)?.state;
			return found !== undefined && state.test(found) && found;
		},
		{timeout: TIMEOUT_MS, interval: 200},
	);

/** A field of what Slurm remembers of a queue-job, as `JobState`. */
export const fieldOf = async (id: string, name: string): Promise<string | undefined> =>
	new RegExp(` ${name}=(\\S*)`).exec(await call('scontrol', ['-o', 'show', 'job', id]))?.[1];

export const deleteJobs = async (ids: readonly string[]): Promise<void> => {
	if (ids.length > 0) await call('scancel', ['--quiet', ...ids]);
};

/** Calls one of its programs as another user. Only root may. */
export const callAs = async (user: string, program: string, args: readonly string[]): Promise<string> =>
	call('setpriv', [`--reuid=${user}`, `--regid=${(await call('id', ['-g', user])).trim()}`, '--clear-groups', program, ...args], {
		cwd: '/',
	});
