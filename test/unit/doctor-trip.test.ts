import {mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {checkDone, checkFailure, checkLeft} from '../../src/doctor/check-trip.js';
import {NO_TIMINGS} from '../../src/doctor/finding.js';
import {formatReport} from '../../src/doctor/format-report.js';
import type {LookedUp} from '../../src/doctor/look-up.js';
import {removeCores} from '../../src/doctor/remove-cores.js';
import type {TaskFailure} from '../../src/doctor/round-trip.js';
import {describeExitStatus} from '../../src/engines/exit-status.js';
import type {PoolErrorCode} from '../../src/errors.js';
import {EXIT_CODES} from '../../src/exit-codes.js';
import {OWN_MAJOR} from '../../src/node-memory.js';
import {createTestDirectory} from '../helpers/engines.js';

type Told = {readonly found: string; readonly toDo: string | undefined};

const told = ({check, level, found, toDo}: ReturnType<typeof checkFailure>): Told => {
	expect({check, level}).toEqual({check: 'round trip', level: 'error'});
	return {found, toDo};
};

const refusal = (code: PoolErrorCode | undefined, reason: string): Told => told(checkFailure({kind: 'refused', code, reason}));

const failure = (taskError: Partial<TaskFailure>): Told =>
	told(
		checkFailure({
			kind: 'failed',
			taskError: {kind: 'lost', reason: 'it ended', host: 'node7', stderrTail: '', hasFiles: true, ...taskError},
		}),
	);

const timeout = (looked: Partial<LookedUp>): Told =>
	told(
		checkFailure({
			...{kind: 'timed-out', afterMs: 120_000, where: 'waiting', jobId: '937', rawState: 'qw', host: undefined, why: undefined},
			...looked,
		}),
	);

const MORE_MEMORY = new RegExp(
	`^Ask for more: --resources memory=\\dG. On Grid Engine that is h_vmem, which limits the address space, and Node ${OWN_MAJOR} needs \\d+ MB of address space just to start.$`,
);

test('a round trip that went well is told with its time', () => {
	expect(checkDone('node7', {...NO_TIMINGS, totalMs: 4321})).toEqual({
		check: 'round trip',
		level: 'ok',
		found: 'one task to node7 and back took 4.3 s',
	});
});

describe('a map that can not be begun', () => {
	test('for its submission is rejected is told in the words of the scheduler', () => {
		const reason = 'The scheduler refused the queue-job q2026-11-21T00-20-07_a10cda#000000000.1: Unable to run job: unknown queue "x.q"';
		expect(refusal('ERR_POOL_SUBMIT_REJECTED', reason)).toEqual({
			found: 'the scheduler refuses queue-jobs: Unable to run job: unknown queue "x.q"',
			toDo: 'Pass what it asks for, as --queue-name, --resources, --qsub-args or --sbatch-args; what is there, qstat -g c, qconf -sql or sinfo tells.',
		});
	});

	test('for the node runs another Node', () => {
		const reason = 'on node7: on node7 this worker-node runs Node v18.1.0, but the map was called on Node v22.1.0.';
		expect(refusal('ERR_POOL_START_FAILED', reason)).toEqual({
			found: `the node runs another major version of Node: ${reason}`,
			toDo: `Install Node ${OWN_MAJOR} where the nodes see it, and name it: --node-path PATH. Or start qmr by the Node that they have.`,
		});
	});

	test('for the node can not import the module', () => {
		const reason = "on node7: visitWorkerNode can't be loaded: PoolError: host node7 (node v22.1.0) can't import /home/x.js";
		expect(refusal('ERR_POOL_START_FAILED', reason)).toEqual({
			found: `the node can't load what this machine can: ${reason}`,
			toDo: 'Put your program with its node_modules, this package included, on a file system that the nodes share.',
		});
	});

	test.each([
		['ERR_POOL_WORK_DIR', 'Choose a directory of your own that the nodes see: --work-root DIR.'],
		['ERR_POOL_ENVIRONMENT', 'Hand over only what is needed: --env NAME, several times if need be.'],
		['ERR_POOL_PROGRAM_MISSING', "Put the scheduler's programs on PATH, or name them: --qsub-path, --sbatch-path and the like."],
		['ERR_POOL_OPTION', 'Mend what it names; the flags of `qmr doctor` are those of every map.'],
		[undefined, 'Mend what it names; the flags of `qmr doctor` are those of every map.'],
	] as const)('for %s', (code, toDo) => {
		expect(refusal(code, 'the reason.')).toEqual({found: 'the reason.', toDo});
	});

	test('for it asks for too little memory gets the figures of Node', () => {
		const reason = 'Expected `memory` in `resources` to be enough for Node, got 10 MB: Grid Engine limits the address space by it (h_vmem)';
		expect(refusal('ERR_POOL_OPTION', reason)).toEqual({found: reason, toDo: expect.stringMatching(MORE_MEMORY)});
	});
});

describe('a queue-job that fails', () => {
	/** The words of a real end. */
	const byStatus = (exitStatus: number): Told =>
		failure({kind: 'start-failed', reason: `the queue-job ended without a result: ${describeExitStatus(exitStatus).reason}`});

	test.each([
		[
			EXIT_CODES.filesMissing,
			"the node can't see the work_dir (node7: the files of the work_dir could not be read on that host (exit status 66))",
			'Choose a directory that the nodes share with this machine, as below your home: --work-root DIR.',
		],
		[
			EXIT_CODES.directoryMissing,
			"the node can't enter the current directory (node7: the caller's working directory could not be entered on that host (exit status 72))",
			'Start qmr in a directory that the nodes share with this machine: it is where tasks run.',
		],
		[
			EXIT_CODES.outputRefused,
			"the node sees the work_dir but can't write there (node7: the output files of the attempt could not be made, or were there already (exit status 73))",
			'Choose a directory where the nodes may write, too: --work-root DIR. It may be mounted read-only there, or you may have another uid.',
		],
		[
			EXIT_CODES.outputFailed,
			"the node can't write the result (node7: the outcomes could not be written: no space, a quota, or a file system out of order (exit status 74))",
			'Make space there (a quota counts, too), or choose another place: --work-root DIR.',
		],
		[
			126,
			"the node can't execute Node (node7: node could not be executed on that host (exit status 126))",
			`Is it for another processor or another Linux? Install Node ${OWN_MAJOR} where the nodes can run it, and name it: --node-path PATH.`,
		],
		[
			127,
			'the node has no such Node (node7: node was not found on that host (exit status 127))',
			`Install Node ${OWN_MAJOR} where the nodes see it, as in your home, and name it: --node-path PATH (now ${process.execPath} unless you have passed another).`,
		],
		[
			EXIT_CODES.internal,
			'the worker program failed (node7: the worker program failed, and says why on stderr (exit status 70))',
			'--keep leaves the work_dir of the round trip, with all that was written: look into log.jsonl and the files that end in .e.',
		],
	])('with exit status %i has advice of its own', (exitStatus, found, toDo) => {
		expect(byStatus(exitStatus)).toEqual({found, toDo});
	});

	test('without any trace was on a node that does not see the work_dir', () => {
		const reason = 'the queue-job ended without a result';
		expect(failure({kind: 'killed', reason, hasFiles: false})).toEqual({
			found: 'node7: the queue-job ended, and nothing of it is to be seen in the work_dir',
			toDo: 'As a rule the node does not see the work_dir: choose a directory that the nodes share with this machine, as below your home: --work-root DIR.',
		});
		expect(failure({kind: 'killed', reason}).found).toBe('node7: the queue-job ended without a result');
	});

	test('is told with the end of its stderr, once', () => {
		const reason = describeExitStatus(EXIT_CODES.internal).reason;
		expect(failure({reason, stderrTail: 'one\nCannot read it\n'}).found).toBe(
			`the worker program failed (node7: ${reason}; its stderr ends with: Cannot read it)`,
		);
		expect(failure({reason: `${reason}; its stderr ends with: Cannot read it`, stderrTail: 'Cannot read it\n'}).found).toBe(
			`the worker program failed (node7: ${reason}; its stderr ends with: Cannot read it)`,
		);
	});

	test('whose stderr ends with a line of signs is told without it', () => {
		expect(failure({reason: 'some words', stderrTail: 'Fatal error\n#\n#'}).found).toBe('node7: some words');
	});

	test('for Node got too little memory gets the figures of Node', () => {
		const reason = 'killed by SIGTRAP: the address space that it was given (`h_vmem`, `ulimit -v`) is too small for Node';
		expect(failure({kind: 'out-of-memory', reason})).toEqual({
			found: `the node gives Node too little memory (node7: ${reason})`,
			toDo: expect.stringMatching(MORE_MEMORY),
		});
		expect(failure({kind: 'out-of-memory', reason: 'it took more memory than it was given'}).toDo).toMatch(MORE_MEMORY);
	});

	test.each([
		['killed', /^A program ends so that is given too little memory, or that somebody has killed. Ask for more: --resources memory=/],
		['wall-time', /^Ask for more time: --resources time=10m.$/],
		[
			'error-state',
			/^The words are those of the scheduler: as a rule its shell, a directory or your account is missing on that node. Ask your/,
		],
		['deleted', /^Somebody has removed it, or a rule of the site has. Try again, and ask your administrator when it happens again.$/],
		['node-lost', /^See whether the node is well \(qhost, sinfo\), and try again.$/],
		['lost', /^The node may not see the work_dir, or this machine not what the node writes: --work-root DIR. --keep leaves/],
		[
			'exception',
			/^--keep leaves the work_dir of the round trip, with all that was written: look into log.jsonl and the files that end in .e.$/,
		],
	])('of the kind %s has advice of its own', (kind, toDo) => {
		const {found, toDo: advice} = failure({kind, reason: 'some words', host: undefined});
		expect(found).toBe('the node: some words');
		expect(advice).toMatch(toDo);
	});
});

describe('a queue-job of which nothing comes', () => {
	test('for it waits is told with what the queue says of it', () => {
		const toDo =
			'When the cluster is only full, wait longer: --timeout 3600. Otherwise ask for what it has: another --queue-name, less in --resources.';
		expect(timeout({why: 'cannot run in queue "all.q": it is full'})).toEqual({
			found: 'the queue-job 937 waited for 2.0 minutes and was removed (state qw): cannot run in queue "all.q": it is full',
			toDo,
		});
		expect(timeout({})).toEqual({
			found: 'the queue-job 937 waited for 2.0 minutes and was removed (state qw); the queue does not say why',
			toDo,
		});
	});

	test('for the scheduler takes none', () => {
		expect(timeout({where: 'submitting', jobId: undefined, why: 'max_u_jobs is reached'})).toEqual({
			found: 'the scheduler took no queue-job for 2.0 minutes: max_u_jobs is reached',
			toDo: 'If you may have no more of them, wait until some have ended. Otherwise ask your administrator whether its master runs.',
		});
	});

	test('though it runs', () => {
		expect(timeout({where: 'running', rawState: 'r', host: 'node7'})).toEqual({
			found: 'the queue-job 937 has run on node7 for 2.0 minutes without a result (state r), and was removed',
			toDo: 'See whether the node is well (qhost, sinfo), and whether what it writes is seen here: --work-root DIR. --keep leaves the work_dir to look at.',
		});
	});

	test('though it has gone', () => {
		expect(timeout({where: 'gone', why: 'exit status 0'})).toEqual({
			found: 'the queue-job 937 has left the queue, and after 2.0 minutes nothing of it is to be seen here: exit status 0',
			toDo: 'As a rule the node does not see the work_dir, or this machine does not see what the node writes: choose another place by --work-root DIR.',
		});
	});

	test('for the scheduler went silent', () => {
		expect(timeout({where: 'silent', why: 'qstat did not answer within 60 s'})).toEqual({
			found: 'after 2.0 minutes the scheduler does not answer any more: qstat did not answer within 60 s',
			toDo: 'Ask your administrator whether its master runs. The queue-job 937 may still be there.',
		});
	});
});

test('what is left behind is an error, what was to be kept is noted', () => {
	expect(checkLeft({left: [], workDir: undefined})).toEqual([]);
	expect(checkLeft({left: ['the queue-job 937 (dr)', 'the directory /x: EBUSY'], workDir: '/home/ada/.qmr/s'})).toEqual([
		{
			check: 'left behind',
			level: 'error',
			found: 'the queue-job 937 (dr), the directory /x: EBUSY',
			toDo: 'Look again in a minute; what is there still must be removed by hand (qdel, scancel, rm).',
		},
		{
			check: 'kept',
			level: 'note',
			found: '/home/ada/.qmr/s',
			toDo: 'Look into log.jsonl, and into the files that end in .e; then remove it.',
		},
	]);
});

test('a report has a line for each check, what to do under it, the timings that are known, and one sentence for all', () => {
	const findings = [
		{check: 'node', level: 'ok', found: 'Node v22.1.0'},
		{check: 'queue', level: 'note', found: 'is slow', toDo: 'Wait.'},
		{check: 'clock', level: 'warning', found: 'is off', toDo: 'Set it.'},
		{check: 'round trip', level: 'error', found: 'failed', toDo: 'Mend it.'},
	] as const;
	const timings = {...NO_TIMINGS, submitMs: 103, totalMs: 12_345};
	expect(formatReport({findings, timings}, (level, text) => `<${level}>${text}</>`)).toBe(`<ok>ok  </> node: Node v22.1.0
<note>note</> queue: is slow
     -> Wait.
<warning>WARN</> clock: is off
     -> Set it.
<error>FAIL</> round trip: failed
     -> Mend it.

The round trip:
     submit                0.103 s
     all of it            12.345 s

<error>Maps will fail here: 1 of 4 checks failed.</>`);
	const plain = (_level: string, text: string): string => text;
	const summary = (count: number): string | undefined =>
		formatReport({findings: findings.slice(0, count), timings: NO_TIMINGS}, plain)
			.split('\n\n')
			.at(-1);
	expect(summary(3)).toBe('Maps will run here; 1 of 3 checks warn.');
	expect(summary(2)).toBe('All is well: 2 checks.');
});

test('of images of crashed processes only those of the session are removed', async () => {
	const {path, remove} = createTestDirectory();
	onTestFinished(remove);
	const session = '2026-11-21T00-20-07_a10cda';
	// Across the border of two pieces, too.
	writeFileSync(join(path, 'core'), `${'\0'.repeat(2 ** 22 - 10)}${session}\0`);
	writeFileSync(join(path, 'core.4711'), `\0${session}`);
	writeFileSync(join(path, 'core.4712'), '\0/home/ada/.qmr/2026-11-20T00-00-00_000000');
	writeFileSync(join(path, 'core.js'), session);
	mkdirSync(join(path, 'core.1'));
	await removeCores(path, session);
	expect(readdirSync(path).sort()).toEqual(['core.1', 'core.4712', 'core.js']);
	await removeCores(join(path, 'nowhere'), session);
});
