/** What the queue says of the one queue-job: why it waits, and whether it has gone. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Engine, JobStatus} from '../engines/engine.js';
import {parseJournal} from '../journal.js';
import {JOURNAL, parseJobName} from '../layout.js';
import type {PoolOptions} from '../options.js';
import {toJobResources} from '../resources.js';

export type LookedUp = {
	/** `submitting`: it was never taken. `gone`: it has left the queue. `silent`: the queue does not answer. */
	readonly where: 'submitting' | 'waiting' | 'running' | 'gone' | 'silent';
	readonly jobId: string | undefined;
	/** The scheduler's own letters or word. */
	readonly rawState: string | undefined;
	readonly host: string | undefined;
	/** Why, in the scheduler's words; undefined when it says nothing. */
	readonly why: string | undefined;
};

export const lookUp = async (workDir: string, engine: Engine, {resources}: PoolOptions): Promise<LookedUp> => {
	const journal = await readFile(join(workDir, JOURNAL), 'utf8').then(parseJournal, () => []);
	const submitted = journal.findLast(({event}) => event === 'submitted');
	const refused = journal.findLast(({event}) => event === 'not-submitted' || event === 'warning' || event === 'queue-silent');
	const nothing = {jobId: submitted?.jobId, rawState: undefined, host: undefined, why: undefined};
	const {jobId, jobName: name = ''} = submitted ?? {};
	if (jobId === undefined) return {...nothing, where: 'submitting', why: refused?.reason};
	let jobs: readonly JobStatus[];
	try {
		jobs = await engine.status(performance.now());
	} catch (error) {
		return {...nothing, where: 'silent', why: (error as Error).message};
	}
	const job = jobs.find(({id}) => id === jobId);
	const question = {id: jobId, name, resources: toJobResources(resources, {attempt: 1, lastFailure: undefined})};
	const explain = async (state: 'pending' | 'ended'): Promise<string | undefined> => (await engine.explain({...question, state}))?.reason;
	if (job === undefined) return {...nothing, where: 'gone', why: await explain('ended')};
	const isWaiting = job.state === 'pending' || job.state === 'held';
	return {
		where: isWaiting ? 'waiting' : 'running',
		jobId,
		rawState: job.rawState,
		host: job.host,
		why: isWaiting ? await explain('pending') : undefined,
	};
};

/** A queue lists what was removed for some seconds more; on a node that is silent for ever. */
const LEAVE_LIMIT_MS = 15_000;
const ASK_AGAIN_MS = 500;

/**
 * Waits until no queue-job of a session is in the queue, so that none writes into what is removed next.
 *
 * @returns Those that are there still, in words.
 */
export const leaveQueue = async (session: string, engine: Engine): Promise<string[]> => {
	const untilMs = performance.now() + LEAVE_LIMIT_MS;
	try {
		for (;;) {
			const jobs = (await engine.status(performance.now())).filter(({name}) => parseJobName(session, name) !== undefined);
			if (jobs.length === 0) return [];
			if (performance.now() > untilMs) return jobs.map(({id, rawState}) => `the queue-job ${id} (${rawState})`);
			const toRemove = jobs.filter(({state}) => state !== 'deleting').map(({id}) => id);
			if (toRemove.length > 0) await engine.remove(toRemove);
			await sleep(ASK_AGAIN_MS);
		}
	} catch (error) {
		return [`maybe queue-jobs named q${session}#…, for the queue could not be asked: ${(error as Error).message}`];
	}
};
