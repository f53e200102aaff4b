import {spawnSync} from 'node:child_process';
import {describe, expect, test} from 'vitest';
import {describeExitStatus, describeSignal} from '../../src/engines/exit-status.js';
import {EXIT_CODES} from '../../src/exit-codes.js';
import {ADDRESS_SPACE_MIB, describeAddressSpace, OWN_MAJOR} from '../../src/node-memory.js';

describe('an exit status in words', () => {
	test.each(Object.entries(EXIT_CODES))('of our own programs: %s (%i) is a start that failed', (_, code) => {
		const end = describeExitStatus(code);
		expect(end).toMatchObject({failed: true, kind: 'start-failed'});
		expect(end.reason).toMatch(new RegExp(`^[a-z].* \\(exit status ${code}\\)$`));
	});

	test.each([126, 127])('of the shell: %i is a start that failed', code => {
		expect(describeExitStatus(code)).toMatchObject({failed: true, kind: 'start-failed'});
	});

	test('0 is no failure, and an unknown one has no kind', () => {
		expect(describeExitStatus(0)).toEqual({failed: false, reason: 'exit status 0'});
		for (const code of [1, 3, 65, 99, 100, 128, 255])
			expect(describeExitStatus(code)).toEqual({failed: true, reason: `exit status ${code}`});
	});

	test.each(['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGXCPU', 'SIGABRT', 'SIGUSR2', 'SIGHUP'] as const)('128 + a number is %s', signal => {
		const status = 128 + (NUMBERS[signal] ?? 0);
		expect(describeExitStatus(status)).toEqual({
			...describeSignal(signal),
			reason: `${describeSignal(signal).reason} (exit status ${status})`,
		});
		expect(describeSignal(signal).reason).toMatch(new RegExp(`^killed by ${signal}\\b`));
	});
});

const NUMBERS: Readonly<Record<string, number>> = {SIGKILL: 9, SIGTERM: 15, SIGSEGV: 11, SIGXCPU: 24, SIGABRT: 6, SIGUSR2: 12, SIGHUP: 1};

describe('Node without memory', () => {
	const run = (lines: string): {status: number | null; stderr: string} => {
		const {status, stderr} = spawnSync('/bin/sh', ['-c', `${lines}; exit $?`, 'sh', process.execPath], {encoding: 'utf8'});
		return {status, stderr};
	};

	test('needs what the table says: it starts with it, and not with three quarters of it', () => {
		const needed = ADDRESS_SPACE_MIB[OWN_MAJOR] ?? 0;
		expect(run(`ulimit -c 0; ulimit -v ${needed * 1024}; "$1" -e 0`)).toMatchObject({status: 0});
		const {status, stderr} = run(`ulimit -c 0; ulimit -v ${needed * 768}; "$1" -e 0`);
		expect(describeExitStatus(status ?? 0, needed * 768 * 1024)).toMatchObject({kind: 'out-of-memory'});
		expect(describeExitStatus(status ?? 0)).toMatchObject({
			kind: 'killed',
			reason: expect.stringContaining(`${needed} MB of address space`),
		});
		expect(stderr).toContain('Failed to reserve virtual memory for CodeRange');
	});

	test('says that its heap is full, and is aborted', () => {
		const {status, stderr} = run(
			'ulimit -c 0; "$1" --max-old-space-size=20 -e "const all = []; for (;;) all.push(new Array(1e5).fill(0.5))"',
		);
		expect(describeExitStatus(status ?? 0).reason).toContain('killed by SIGABRT');
		expect(stderr).toContain('JavaScript heap out of memory');
	});

	test('of an unknown version all known ones are told', () => {
		expect(describeAddressSpace(99)).toMatch(/Node 20 needs 724 MB, Node 22 needs 763 MB, Node 24 needs 1153 MB/);
	});
});
