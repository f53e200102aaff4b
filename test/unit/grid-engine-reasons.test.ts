import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {isPermanentReason, PERMANENT_REASONS, parseErrorReason, parsePendingReason} from '../../src/engines/grid-engine-reasons.js';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const read = (name: string): string => readFileSync(join(FIXTURES, 'qstat', name), 'utf8');
const readWaiting = (name: string): string => (name === '' ? '' : readFileSync(join(FIXTURES, 'qalter', name), 'utf8'));

describe('the reason of an error state', () => {
	test('is read from what a real qstat -j prints', () => {
		expect(parseErrorReason(read('job-error.txt'))).toBe("error: can't chdir to /nonexistent: No such file or directory");
	});

	test.each(['job-pending.txt', 'job-running.txt'])('%s has none', name => {
		expect(parseErrorReason(read(name))).toBeUndefined();
	});

	test.each<[text: string, reason: string | undefined]>([
		[
			'error reason 1: 11/21/2026 00:18:02 [0:1863]: unable to find shell "/nonexistent/python"',
			'unable to find shell "/nonexistent/python"',
		],
		['error reason    1:          11/21/2026 00:18:02 [0:1863]: a [1:2]: b', 'a [1:2]: b'],
		['error reason 1: no time and no process', 'no time and no process'],
		['error reason 1: x [1:2]: twice\nerror reason 2: y [3:4]: twice\nerror reason 3: z [5:6]: once\n', 'twice; once'],
		['Following jobs do not exist:\n999999\n', undefined],
		['job_name: error reason 1: mine', undefined],
		['', undefined],
	])('%j', (text, reason) => {
		expect(parseErrorReason(text)).toBe(reason);
	});
});

/** As `qstat -j` of a real Grid Engine printed them, behind the time and the process. */
const SEEN_PERMANENT = [
	'unable to find shell "/nonexistent"',
	"error: can't chdir to /nonexistent: No such file or directory",
	"error: can't chdir to /etc/passwd: Not a directory",
	"error: can't chdir to /root: Permission denied",
	'error: can\'t open output file "/nonexistent/x": No such file or directory',
	'error: can\'t open output file "/etc/x": Permission denied',
	'can\'t stat() "/closed/x" as stdout_path: Permission denied KRB5CCNAME=none uid=1 gid=1 1 10101029 ',
	'can\'t stat() "/etc/passwd/x" as stdout_path: Not a directory KRB5CCNAME=none uid=0 gid=0 0 10101023 ',
	'can\'t stat() "/closed/x" as stdin_path: Permission denied KRB5CCNAME=none uid=1 gid=1 1 10102010 ',
	"error: can't open /nonexistent as dummy input file",
	'execvlp(/etc/passwd, "passwd" "/var/spool/execd/node1/job_scripts/68") failed: Permission denied',
	'execvlp(/nonexistent, "/nonexistent") failed: No such file or directory',
];

const printed = (reason: string): string => `error reason          1:      11/21/2026 05:25:13 [1:12206]: ${reason}\n`;

describe('a permanent reason', () => {
	test.each(SEEN_PERMANENT)('is told as such: %s', reason => {
		expect(isPermanentReason(parseErrorReason(printed(reason)) as string)).toBe(true);
	});

	test.each([
		'exit_status of job start = 100',
		"error: can't chdir to /home/me: Stale file handle",
		"error: can't chdir to /home/me: Input/output error",
		'error: can\'t open output file "/home/me/x": No space left on device',
		'can\'t get password entry for user "me". Either user does not exist or error with NIS/LDAP etc.',
		'exit_status of prolog = 1',
		"can't make directory /tmp/7.1.all.q: No such file or directory",
		'no unable to find shell',
		'',
	])('is none that may pass, or that one node alone may have: %s', reason => {
		expect(isPermanentReason(reason)).toBe(false);
	});

	test('beside one that may pass decides nothing', () => {
		const both = printed('unable to find shell "/x"') + printed('exit_status of prolog = 1');
		expect(isPermanentReason(parseErrorReason(both) as string)).toBe(false);
	});

	test('was seen, every one in the table', () => {
		for (const {pattern} of PERMANENT_REASONS)
			expect(SEEN_PERMANENT.filter(reason => pattern.test(parseErrorReason(printed(reason)) as string))).not.toEqual([]);
	});

	test('reads alike for all queue-jobs', () => {
		const [a, b] = [68, 69].map(id =>
			parseErrorReason(printed(`execvlp(/x, "x" "/var/spool/node${id}/job_scripts/${id}" "${id}") failed: Permission denied`)),
		);
		expect(a).toBe('execvlp(/x, …) failed: Permission denied');
		expect(b).toBe(a);
		expect(parseErrorReason(printed(SEEN_PERMANENT[6] as string))).toBe('can\'t stat() "/closed/x" as stdout_path: Permission denied');
	});
});

describe('what a queue-job waits for', () => {
	test.each([
		[
			'full.txt',
			'waits.job.txt',
			'no suitable queues: cannot run in queue "all.q@node1" and 1 more because it offers only qc:slots=0.000000',
		],
		[
			'disabled-and-full.txt',
			'waits.job.txt',
			'no suitable queues: queue instance "all.q@node1" dropped because it is temporarily not available; cannot run in queue "all.q@node2" because it offers only qc:slots=0.000000',
		],
		[
			'resource.txt',
			'resource.job.txt',
			'no suitable queues: (-l h_vmem=5T,mem_free=4T) cannot run at host "node1" and 1 more because it offers only hl:mem_free=23.199G',
		],
		[
			'',
			'waits.job.txt',
			'queue instance "all.q@node1" and 1 more dropped because it is full; All queues dropped because of overload or full',
		],
		['full.txt', '', 'no suitable queues: cannot run in queue "all.q@node1" and 1 more because it offers only qc:slots=0.000000'],
		['', 'held.job.txt', 'it is held, and qrls releases it'],
		['held.txt', 'held.job.txt', 'it is held, and qrls releases it'],
		['held.txt', 'held-by-job.job.txt', 'it is held until other queue-jobs have ended (-hold_jid): 52'],
		['full.txt', 'held-by-job.job.txt', 'it is held until other queue-jobs have ended (-hold_jid): 52'],
		['', '', undefined],
	])('%s and %s of a real Grid Engine', (verification, details, reason) => {
		expect(parsePendingReason(readWaiting(verification), readWaiting(details))).toBe(reason);
	});

	test.each([
		['verification: found suitable queue(s)\n', 'scheduling info:            execution time not reached\n', 'execution time not reached'],
		['verification: found suitable queue(s)\n', 'scheduling info:            There are no messages available\n', 'found suitable queue(s)'],
		['denied: job "99999" does not exist\n', '', undefined],
		['', 'Following jobs do not exist: \n99999\n', undefined],
	])('%j and %j', (verification, details, reason) => {
		expect(parsePendingReason(verification, details)).toBe(reason);
	});

	test('is one short line however many nodes there are, and the same for every queue-job', () => {
		const of = (id: number): string =>
			`${Array.from(
				{length: 2000},
				(_, i) => `Job ${id} (-l NONE) cannot run in queue "all.q@node${i}" because it offers only qc:slots=0.000000\n`,
			).join('')}verification: no suitable queues\n`;
		const reason = parsePendingReason(of(7), '');
		expect(reason).toBe('no suitable queues: cannot run in queue "all.q@node0" and 1999 more because it offers only qc:slots=0.000000');
		expect(parsePendingReason(of(123456), '')).toBe(reason);
	});

	test('of many different reasons the first few are told', () => {
		const text = Array.from({length: 9}, (_, i) => `Job 7 (-l a${i}=1) cannot run globally because ${'x'.repeat(i)}\n`).join('');
		expect(parsePendingReason(text, '')).toMatch(/^(?:[^;]+; ){4}…$/);
	});

	test('every captured answer is read by some test', () => {
		expect(readdirSync(join(FIXTURES, 'qalter')).sort()).toEqual([
			...['README.md', 'disabled-and-full.txt', 'full.txt', 'held-by-job.job.txt', 'held.job.txt', 'held.txt'],
			...['resource.job.txt', 'resource.txt', 'waits.job.txt'],
		]);
	});
});
