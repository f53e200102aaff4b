/** What the scheduler says -> findings; pure. */
import type {PoolErrorCode} from '../errors.js';
import type {Finding} from './finding.js';
import type {SchedulerFacts} from './scheduler-facts.js';

export const checkScheduler = (facts: SchedulerFacts): Finding[] => {
	const {answer, site, hasQueue} = facts;
	if (answer.kind === 'silent') return [checkChoice(facts), silent(answer.reason)];
	return [
		checkChoice(facts),
		...(hasQueue ? [checkAnswer(answer), checkArrays(facts)] : []),
		...(site === undefined ? [] : checkJobLimits(site, facts.maxDefaultChunks)),
	];
};

/** No engine could be chosen. */
export const checkNoScheduler = (code: PoolErrorCode | undefined, reason: string): Finding => ({
	check: 'scheduler',
	level: 'error',
	found: reason,
	toDo:
		code === 'ERR_POOL_PROGRAM_MISSING'
			? "Put the scheduler's programs on PATH (on many sites by `module load …`, or by its settings file), or name them: --qsub-path, --sbatch-path and the like. Only submit hosts have them."
			: 'Say which scheduler it is: --engine grid-engine, --engine slurm or --engine local.',
});

const checkChoice = ({engine, why, hasQueue, site}: SchedulerFacts): Finding => {
	const check = 'scheduler';
	const found = `${engine}${site?.product === undefined ? '' : `, ${site.product}`}${why === undefined ? '' : ` (${why})`}`;
	if (hasQueue || why === undefined) return {check, level: 'ok', found};
	return {
		check,
		level: 'note',
		found,
		toDo: "If there is a cluster here, put the scheduler's programs on PATH (on many sites by `module load …`), or name them: --qsub-path, --sbatch-path and the like.",
	};
};

const silent = (reason: string): Finding => ({
	check: 'queue',
	level: 'error',
	found: `the scheduler does not answer: ${reason}`,
	toDo: 'Ask your administrator whether its master runs, and whether this is a submit host. A map that runs waits for it (--outage-limit-ms).',
});

/** Each map asks the queue every 5 s by default. */
const SLOW_ANSWER_MS = 2000;

const checkAnswer = ({elapsedMs, numJobs}: Extract<SchedulerFacts['answer'], {kind: 'answered'}>): Finding => {
	const check = 'queue';
	const found = `answers in ${(elapsedMs / 1000).toFixed(2)} s; you have ${numJobs} queue-jobs in it`;
	if (elapsedMs < SLOW_ANSWER_MS) return {check, level: 'ok', found};
	return {
		check,
		level: 'note',
		found,
		toDo: 'It is slow: spare it by asking less often (--polling-interval-ms 30000) and by arrays (--array-jobs).',
	};
};

const checkArrays = ({maxElements, maxDefaultChunks}: SchedulerFacts): Finding => {
	const check = 'array size';
	if (maxElements === undefined) return {check, level: 'ok', found: 'this engine has no arrays: chunks are submitted one by one'};
	if (maxElements >= maxDefaultChunks) return {check, level: 'ok', found: `an array may have ${maxElements} elements`};
	return {
		check,
		level: 'note',
		found: `an array may have ${maxElements} elements only, fewer than the ${maxDefaultChunks} chunks of a large map`,
		toDo: `Nothing: with --array-jobs such a map goes as several arrays. For one array: --num-chunks ${maxElements}.`,
	};
};

const checkJobLimits = ({maxJobsPerUser, maxJobs, isArrayOneJob}: NonNullable<SchedulerFacts['site']>, numChunks: number): Finding[] => {
	const check = 'queue-jobs per user';
	const isOfAll = (maxJobs.limit ?? Number.POSITIVE_INFINITY) < (maxJobsPerUser.limit ?? Number.POSITIVE_INFINITY);
	const {limit, name} = isOfAll ? maxJobs : maxJobsPerUser;
	const told = `${limit}${isOfAll ? ' of all users together' : ''} (${name})`;
	if (limit === undefined) {
		return [
			{
				check,
				level: 'note',
				found: 'how many you may have is not told here',
				toDo: 'Nothing, as a rule: what the scheduler refuses for the time being is submitted later. If your site names a number, pass it: --max-queued-jobs N.',
			},
		];
	}
	if (limit === Number.POSITIVE_INFINITY) return [{check, level: 'ok', found: `no limit (${name} 0)`}];
	if (limit >= numChunks) return [{check, level: 'ok', found: told}];
	return [
		{
			check,
			level: 'warning',
			found: `${told}, fewer than the ${numChunks} chunks of a large map`,
			toDo: `Pass --max-queued-jobs ${limit}, or cut less: --num-chunks ${limit}.${isArrayOneJob ? ' Or --array-jobs: an array counts as one.' : ''}`,
		},
	];
};
