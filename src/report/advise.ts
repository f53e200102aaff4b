/** Figures of a map -> advice: what was seen, its figure, and what to do. Pure. */
import {quoteForShell} from '../quote-for-shell.js';
import {adviseOnAsks} from './advise-on-asks.js';
import {msInWords, percentInWords} from './in-words.js';
import type {HostFacts, ReportData} from './report-data.js';

export type Advice = {
	/** Stable, for tests and for programs. */
	readonly id: string;
	/** `important`: results are missing or slots are wasted; `useful`: it could be better. */
	readonly weight: 'important' | 'useful';
	readonly title: string;
	/** What was seen. */
	readonly figure: string;
	/** What to do. */
	readonly action: string;
};

/** The most important first. */
export const advise = (data: ReportData): Advice[] =>
	[...ADVISERS.flatMap(adviser => adviser(data)), ...adviseOnAsks(data)].sort((a, b) => WEIGHTS[a.weight] - WEIGHTS[b.weight]);

const WEIGHTS = {important: 0, useful: 1} as const;

type Adviser = (data: ReportData) => Advice[];

/** A queue-job should compute for about so long: starting one costs a scheduler seconds, and this machine a tenth of one. */
const GOOD_JOB_MS = 300_000;
const GOOD_LOCAL_JOB_MS = 10_000;

/** Below it more of a slot is wasted than used. */
const LOW_SHARE = 0.5;

const failedTasks: Adviser = ({counts, failures, map}) => {
	const first = failures.find(({kind}) => kind !== 'cancelled');
	if (first === undefined || counts.failed === 0) return [];
	const share = first.numTasks === counts.failed ? 'all of them alike' : `${first.numTasks} of them alike`;
	const ids =
		map.state === 'ended' ? `\`qmr rerun ${toShellWord(map.workDir)}\` computes those again that have no result` : 'the others go on';
	return [
		{
			id: 'failed-tasks',
			weight: 'important',
			title: 'Tasks have failed',
			figure: `${counts.failed} of ${counts.total} tasks failed, ${share}: ${first.kind}, ${shorten(first.message)}.`,
			action: `See “Failures” for what they wrote; \`qmr rerun ${toShellWord(map.workDir)} ${first.samples[0]?.itask ?? ''} --local\` computes one here, in the foreground. When its cause is mended, ${ids}.`,
		},
	];
};

const leftMap: Adviser = ({map, counts, wallMs}) => {
	if (!map.isLeft) return [];
	return [
		{
			id: 'left',
			weight: 'important',
			title: 'No process works in this map',
			figure: `Its process has ended or left it; something was noted last ${msInWords(Math.max(0, wallMs - map.lastNoteMs))} before this report was made. ${counts.running + counts.pending} tasks have no outcome.`,
			action: `\`qmr resume ${toShellWord(map.workDir)}\` goes on with it: what is finished stays, and what still runs in the queue is waited for.`,
		},
	];
};

const chunksTooSmall: Adviser = ({slots, durations, counts, map, jobs}) => {
	const numDone = jobs.filter(({state}) => state === 'done').length;
	const heldMs = slots.heldMs - slots.lostMs;
	const goodMs = map.engine === 'local' ? GOOD_LOCAL_JOB_MS : GOOD_JOB_MS;
	if (numDone < 2 || heldMs <= 0 || slots.computingMs / heldMs >= LOW_SHARE || (slots.medianHeldMs ?? 0) >= goodMs) return [];
	const meanMs = durations.totalMs / Math.max(1, durations.count);
	const wantedSize = Math.max(1, Math.ceil(goodMs / Math.max(meanMs, 0.001)));
	// Every slot that there was should still get something.
	const chunkSize = Math.min(wantedSize, Math.ceil(counts.total / Math.max(1, slots.atMost)));
	const now = counts.total / Math.max(1, map.numChunks);
	if (chunkSize < 2 * now) return [];
	return [
		{
			id: 'chunks-too-small',
			weight: 'important',
			title: 'The chunks are too small',
			figure: `A queue-job held its slot for ${msInWords(slots.medianHeldMs ?? 0)} (median), but only ${percentInWords(slots.computingMs / heldMs)} of the time was spent in tasks, of ${msInWords(meanMs)} each: the rest was starting and ending.`,
			action: `Give each queue-job more tasks: \`chunkSize: ${chunkSize}\` in place of about ${Math.round(now)}, or \`schedule: 'dynamic'\` with \`numJobs: ${Math.max(1, slots.atMost)}\`.`,
		},
	];
};

/** Of the time of a map, when it could have been shorter. */
const LONG_TAIL_SHARE = 0.25;
const SHORT_MAP_MS = 60_000;

const longTail: Adviser = ({slots, wallMs, counts, map, durations}) => {
	if (map.state === 'running' || wallMs < SHORT_MAP_MS || slots.atMost < 4 || slots.tailMs < LONG_TAIL_SHARE * wallMs) return [];
	const isOneEach = map.numChunks >= counts.total;
	return [
		{
			id: 'long-tail',
			weight: 'useful',
			title: 'At the end most slots were empty',
			figure: `For the last ${msInWords(slots.tailMs)} (${percentInWords(slots.tailMs / wallMs)} of the map) fewer than half of ${slots.atMost} queue-jobs ran. The slowest task took ${msInWords(durations.maxMs)}, the median one ${msInWords(durations.medianMs)}.`,
			action: isOneEach
				? 'Put the tasks that take longest first, or cut them into smaller ones.'
				: `Use \`schedule: 'dynamic'\` with \`numJobs: ${slots.atMost}\`, or smaller chunks, so that no slot ends long before the others.`,
		},
	];
};

/** So many times longer than it computes a queue-job may wait without a word. */
const LONG_WAIT_TIMES = 3;
const SHORT_WAIT_MS = 60_000;

const longWaits: Adviser = ({slots, map}) => {
	const [waitMs, heldMs] = [slots.medianWaitMs ?? 0, slots.medianHeldMs ?? Number.POSITIVE_INFINITY];
	if (waitMs < SHORT_WAIT_MS || waitMs < LONG_WAIT_TIMES * heldMs || map.engine === 'local') return [];
	return [
		{
			id: 'long-waits',
			weight: 'useful',
			title: 'Queue-jobs waited longer than they computed',
			figure: `A queue-job waited for ${msInWords(waitMs)} and ran for ${msInWords(heldMs)} (medians); at most ${slots.atMost} ran at a time.`,
			action:
				'Ask for less memory and time, as far as you can (see “Asked and used”), use another queue, or larger chunks: fewer queue-jobs wait less often.',
		},
	];
};

const slowSubmission: Adviser = ({slots, wallMs, map}) => {
	if (slots.submittingMs < SHORT_MAP_MS || slots.submittingMs < LONG_TAIL_SHARE * wallMs || map.engine === 'local') return [];
	// Held back by the user, not by the scheduler.
	if (/max(Queued|Concurrent)Jobs|arrayJobs: true/.test(map.options)) return [];
	return [
		{
			id: 'slow-submission',
			weight: 'useful',
			title: 'Submitting took long',
			figure: `From the first submission to the last it took ${msInWords(slots.submittingMs)}, ${percentInWords(slots.submittingMs / Math.max(1, wallMs))} of the map.`,
			action: 'Use `arrayJobs: true`: one call submits thousands of chunks. Or use fewer, larger chunks.',
		},
	];
};

const LOST_SHARE = 0.05;

const lostWork: Adviser = ({jobs, slots}) => {
	const failed = jobs.filter(({state}) => state === 'failed');
	if (failed.length < 3 || failed.length < LOST_SHARE * jobs.length) return [];
	const reasons = new Map<string, number>();
	for (const {reason} of failed) if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
	const [[reason, times] = ['', 0]] = [...reasons].sort((a, b) => b[1] - a[1]);
	return [
		{
			id: 'lost-work',
			weight: 'important',
			title: 'Many queue-jobs were lost',
			figure: `${failed.length} of ${jobs.length} queue-jobs ended without their result, and ${msInWords(slots.lostMs)} of slots with them.${times === 0 ? '' : ` ${times} times: ${shorten(reason)}.`}`,
			action: 'Look at the reasons in the table of queue-jobs (choose “failed”), and at the hosts: `qmr doctor` checks a site.',
		},
	];
};

const FEW = 3;

const badHosts: Adviser = ({hosts}) => {
	const isBad = ({numJobs, numFailedJobs}: HostFacts): boolean => numFailedJobs >= FEW && numFailedJobs >= LOW_SHARE * numJobs;
	const bad = hosts.filter(isBad);
	const others = hosts.filter(host => !isBad(host));
	const [numJobs, numFailed] = [
		others.reduce((sum, host) => sum + host.numJobs, 0),
		others.reduce((sum, host) => sum + host.numFailedJobs, 0),
	];
	// When they fail everywhere it is not the host.
	if (bad.length === 0 || numJobs < FEW || numFailed >= 0.1 * numJobs) return [];
	return [
		{
			id: 'bad-hosts',
			weight: 'important',
			title: bad.length === 1 ? `${bad[0]?.name} fails` : 'Some hosts fail',
			figure: `${bad.map(host => `${host.numFailedJobs} of ${host.numJobs} queue-jobs on ${host.name}`).join(', ')} failed; on all others ${numFailed} of ${numJobs}.`,
			action:
				'Tell your administrators. Until then keep away from it by `qsubArgs` or `sbatchArgs`; `avoidHosts` does so for what is submitted again.',
		},
	];
};

/** Makes times in logs of two hosts hard to compare. */
const BAD_CLOCK_MS = 5000;

const badClocks: Adviser = ({hosts}) => {
	const bad = hosts.filter(({clockAheadMs}) => Math.abs(clockAheadMs) >= BAD_CLOCK_MS);
	if (bad.length === 0) return [];
	const list = bad.map(({name, clockAheadMs}) => `${name} ${msInWords(Math.abs(clockAheadMs))} ${clockAheadMs > 0 ? 'ahead' : 'behind'}`);
	return [
		{
			id: 'bad-clocks',
			weight: 'useful',
			title: 'Clocks differ',
			figure: `Against the process-node at least: ${list.join(', ')}.`,
			action: 'The times here are corrected by that; file times and your own logs are not. Tell your administrators.',
		},
	];
};

const unreadFiles: Adviser = ({problems}) =>
	problems.length === 0
		? []
		: [
				{
					id: 'problems',
					weight: 'useful',
					title: 'Some files could not be read',
					figure: `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}, the first: ${shorten(problems[0] ?? '')}`,
					action: 'See “About this map”. What depends on them is missing here.',
				},
			];

const ADVISERS: readonly Adviser[] = [
	leftMap,
	failedTasks,
	badHosts,
	lostWork,
	chunksTooSmall,
	longTail,
	longWaits,
	slowSubmission,
	badClocks,
	unreadFiles,
];

/** So that it can be copied into a shell. */
const toShellWord = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : quoteForShell(path));

const shorten = (text: string): string => {
	const line = text.replaceAll(/\s+/g, ' ').trim();
	return line.length > 160 ? `${line.slice(0, 160)}…` : line;
};
