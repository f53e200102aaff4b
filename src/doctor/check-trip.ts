/** How the round trip ended -> findings; pure. Every way to fail has its own advice. */
import {EXIT_CODES} from '../exit-codes.js';
import {formatDuration} from '../format-duration.js';
import {describeAddressSpace, OWN_MAJOR} from '../node-memory.js';
import {askedFor} from './check-worker-node.js';
import type {Finding, Timings} from './finding.js';
import type {LookedUp} from './look-up.js';
import type {TaskFailure, Trip, TripFailure} from './round-trip.js';

const CHECK = 'round trip';

export const checkDone = (host: string, {totalMs}: Timings): Finding => ({
	check: CHECK,
	level: 'ok',
	found: `one task to ${host} and back took ${formatDuration(totalMs ?? 0)}`,
});

export const checkFailure = (failure: TripFailure): Finding => ({check: CHECK, level: 'error', ...describeFailure(failure)});

export const checkLeft = ({left, workDir}: Pick<Trip, 'left' | 'workDir'>): Finding[] => [
	...(left.length === 0
		? []
		: [
				{
					check: 'left behind',
					level: 'error' as const,
					found: left.join(', '),
					toDo: 'Look again in a minute; what is there still must be removed by hand (qdel, scancel, rm).',
				},
			]),
	...(workDir === undefined
		? []
		: [
				{
					check: 'kept',
					level: 'note' as const,
					found: workDir,
					toDo: 'Look into log.jsonl, and into the files that end in .e; then remove it.',
				},
			]),
];

type Advice = {readonly found: string; readonly toDo: string};

const describeFailure = (failure: TripFailure): Advice => {
	switch (failure.kind) {
		case 'refused':
			return describeRefusal(failure);
		case 'failed':
			return describeTaskFailure(failure.taskError);
		case 'timed-out':
			return describeTimeout(failure);
	}
};

const describeRefusal = ({code, reason}: Extract<TripFailure, {kind: 'refused'}>): Advice => {
	switch (code) {
		case 'ERR_POOL_SUBMIT_REJECTED':
			return {
				found: `the scheduler refuses queue-jobs: ${reason.replace(/^The scheduler refused the queue-job \S+: /, '')}`,
				toDo: 'Pass what it asks for, as --queue-name, --resources, --qsub-args or --sbatch-args; what is there, qstat -g c, qconf -sql or sinfo tells.',
			};
		case 'ERR_POOL_START_FAILED':
			return describeStart(reason);
		case 'ERR_POOL_WORK_DIR':
			return {found: reason, toDo: 'Choose a directory of your own that the nodes see: --work-root DIR.'};
		case 'ERR_POOL_ENVIRONMENT':
			return {found: reason, toDo: 'Hand over only what is needed: --env NAME, several times if need be.'};
		case 'ERR_POOL_PROGRAM_MISSING':
			return {found: reason, toDo: "Put the scheduler's programs on PATH, or name them: --qsub-path, --sbatch-path and the like."};
		default:
			if (IS_ABOUT_ADDRESS_SPACE.test(reason)) return {found: reason, toDo: MORE_MEMORY};
			return {found: reason, toDo: 'Mend what it names; the flags of `qmr doctor` are those of every map.'};
	}
};

const describeStart = (reason: string): Advice => {
	if (/runs Node v\d+/.test(reason)) {
		return {
			found: `the node runs another major version of Node: ${reason}`,
			toDo: `Install Node ${OWN_MAJOR} where the nodes see it, and name it: --node-path PATH. Or start qmr by the Node that they have.`,
		};
	}
	return {
		found: `the node can't load what this machine can: ${reason}`,
		toDo: 'Put your program with its node_modules, this package included, on a file system that the nodes share.',
	};
};

const describeTimeout = ({where, jobId, rawState, host, why, afterMs}: LookedUp & {readonly afterMs: number}): Advice => {
	const after = formatDuration(afterMs);
	const words = why === undefined ? '' : `: ${why}`;
	switch (where) {
		case 'submitting':
			return {
				found: `the scheduler took no queue-job for ${after}${words}`,
				toDo: 'If you may have no more of them, wait until some have ended. Otherwise ask your administrator whether its master runs.',
			};
		case 'waiting':
			return {
				found: `the queue-job ${jobId} waited for ${after} and was removed (state ${rawState})${why === undefined ? '; the queue does not say why' : words}`,
				toDo: 'When the cluster is only full, wait longer: --timeout 3600. Otherwise ask for what it has: another --queue-name, less in --resources.',
			};
		case 'running':
			return {
				found: `the queue-job ${jobId} has run on ${host ?? 'a node'} for ${after} without a result (state ${rawState}), and was removed`,
				toDo: 'See whether the node is well (qhost, sinfo), and whether what it writes is seen here: --work-root DIR. --keep leaves the work_dir to look at.',
			};
		case 'gone':
			return {
				found: `the queue-job ${jobId} has left the queue, and after ${after} nothing of it is to be seen here${words}`,
				toDo: 'As a rule the node does not see the work_dir, or this machine does not see what the node writes: choose another place by --work-root DIR.',
			};
		case 'silent':
			return {
				found: `after ${after} the scheduler does not answer any more${words}`,
				toDo: `Ask your administrator whether its master runs. The queue-job ${jobId} may still be there.`,
			};
	}
};

const describeTaskFailure = ({kind, reason: told, host, stderrTail, hasFiles}: TaskFailure): Advice => {
	if (told === NOTHING_IS_KNOWN && !hasFiles) {
		return {
			found: `${host ?? 'the node'}: the queue-job ended, and nothing of it is to be seen in the work_dir`,
			toDo: 'As a rule the node does not see the work_dir: choose a directory that the nodes share with this machine, as below your home: --work-root DIR.',
		};
	}
	const reason = told.replace(`${NOTHING_IS_KNOWN}: `, '');
	const lastLine = stderrTail.trim().split('\n').at(-1) ?? '';
	const last = !/\w/.test(lastLine) || reason.includes(lastLine) ? '' : `; its stderr ends with: ${lastLine}`;
	const words = `${host ?? 'the node'}: ${reason}${last}`;
	const byStatus = ADVICE_BY_STATUS.get(Number(/\(exit status (\d+)\)/.exec(reason)?.[1]));
	if (byStatus !== undefined) return {found: `${byStatus.found} (${words})`, toDo: byStatus.toDo};
	if (IS_ABOUT_ADDRESS_SPACE.test(words)) return {found: `the node gives Node too little memory (${words})`, toDo: MORE_MEMORY};
	return {found: words, toDo: ADVICE_BY_KIND[kind] ?? LOOK};
};

/** As `judge` says it; behind a colon it adds what the scheduler says of it. */
const NOTHING_IS_KNOWN = 'the queue-job ended without a result';

const IS_ABOUT_ADDRESS_SPACE = /address space|h_vmem/;

const MORE_MEMORY = `Ask for more: --resources memory=${askedFor(OWN_MAJOR)}. On Grid Engine that is h_vmem, which limits the address space, and ${describeAddressSpace(OWN_MAJOR)}.`;

const LOOK = '--keep leaves the work_dir of the round trip, with all that was written: look into log.jsonl and the files that end in .e.';

const ADVICE_BY_STATUS: ReadonlyMap<number, Advice> = new Map([
	[
		EXIT_CODES.filesMissing,
		{
			found: "the node can't see the work_dir",
			toDo: 'Choose a directory that the nodes share with this machine, as below your home: --work-root DIR.',
		},
	],
	[
		EXIT_CODES.directoryMissing,
		{
			found: "the node can't enter the current directory",
			toDo: 'Start qmr in a directory that the nodes share with this machine: it is where tasks run.',
		},
	],
	[
		EXIT_CODES.outputRefused,
		{
			found: "the node sees the work_dir but can't write there",
			toDo: 'Choose a directory where the nodes may write, too: --work-root DIR. It may be mounted read-only there, or you may have another uid.',
		},
	],
	[
		EXIT_CODES.outputFailed,
		{
			found: "the node can't write the result",
			toDo: 'Make space there (a quota counts, too), or choose another place: --work-root DIR.',
		},
	],
	[
		126,
		{
			found: `the node can't execute Node`,
			toDo: `Is it for another processor or another Linux? Install Node ${OWN_MAJOR} where the nodes can run it, and name it: --node-path PATH.`,
		},
	],
	[
		127,
		{
			found: `the node has no such Node`,
			toDo: `Install Node ${OWN_MAJOR} where the nodes see it, as in your home, and name it: --node-path PATH (now ${process.execPath} unless you have passed another).`,
		},
	],
	[EXIT_CODES.internal, {found: 'the worker program failed', toDo: LOOK}],
]);

const ADVICE_BY_KIND: Readonly<Partial<Record<string, string>>> = {
	'out-of-memory': MORE_MEMORY,
	killed: `A program ends so that is given too little memory, or that somebody has killed. ${MORE_MEMORY}`,
	'wall-time': 'Ask for more time: --resources time=10m.',
	'error-state':
		'The words are those of the scheduler: as a rule its shell, a directory or your account is missing on that node. Ask your administrator, or choose another --queue-name.',
	deleted: 'Somebody has removed it, or a rule of the site has. Try again, and ask your administrator when it happens again.',
	'node-lost': 'See whether the node is well (qhost, sinfo), and try again.',
	lost: `The node may not see the work_dir, or this machine not what the node writes: --work-root DIR. ${LOOK}`,
};
