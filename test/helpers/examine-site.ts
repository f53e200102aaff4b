/** Calls `qmr doctor --json`, and reads what it has found. */
import {execFile} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, expect} from 'vitest';
import type {Finding, SiteReport} from '../../src/doctor/finding.js';
import {createTestDirectory} from './engines.js';
import {withoutVitest} from './programs.js';
import {QMR, type QmrInput, type QmrRun, runQmr} from './qmr.js';

/** For the tests of one file: `cwd` is an empty directory to call it in, within another one. */
export const useCallingPlace = (): {path: string; cwd: string} => {
	const place = {path: '', cwd: ''};
	let remove: () => void;
	beforeEach(() => {
		const made = createTestDirectory();
		remove = made.remove;
		Object.assign(place, {path: made.path, cwd: join(made.path, 'here')});
		mkdirSync(place.cwd);
	});
	afterEach(() => remove());
	return place;
};

export type Examined = SiteReport & {
	readonly exitCode: number | null;
	readonly stderr: string;
	readonly of: (check: string) => Finding | undefined;
};

export const examineSite = async (args: readonly string[], input: QmrInput): Promise<Examined> =>
	read(await runQmr(['doctor', '--json', ...args], input));

/** The same with a work root that no other process sees: it is on a file system that is mounted for this call alone. Needs root. */
export const examineHidden = async (args: readonly string[], {cwd}: {readonly cwd: string}): Promise<Examined> => {
	const hidden = join(cwd, 'hidden');
	mkdirSync(hidden);
	const script = 'mount -t tmpfs -o mode=0700 qmr-test "$0" && exec "$@"';
	const command = [process.execPath, QMR, 'doctor', '--json', '--work-root', join(hidden, 'work'), ...args];
	return read(await execute('unshare', ['--mount', 'sh', '-c', script, hidden, ...command], cwd));
};

/** The same on a network file system with caches that are up to some seconds old, which shows a directory to this call alone. Needs root and FUSE. */
export const examineThroughLateFiles = async (
	store: string,
	seconds: number,
	args: readonly string[],
	{cwd}: {readonly cwd: string},
): Promise<Examined> => {
	const script = fileURLToPath(new URL('../engines/late-files.sh', import.meta.url));
	const command = [process.execPath, QMR, 'doctor', '--json', ...args];
	return read(await execute('bash', [script, 'run', store, String(seconds), ...command], cwd));
};

type Output = Pick<QmrRun, 'exitCode' | 'stdout' | 'stderr'>;

const execute = (program: string, args: readonly string[], cwd: string): Promise<Output> =>
	new Promise(resolve => {
		const env = {...withoutVitest(), QMR_CONFIG: 'off'};
		const child = execFile(program, args, {cwd, env}, (_error, stdout, stderr) => resolve({exitCode: child.exitCode, stdout, stderr}));
	});

const read = ({exitCode, stdout, stderr}: Output): Examined => {
	if (!stdout.startsWith('{')) throw new Error(`no report: ${stdout}${stderr}`);
	const report = JSON.parse(stdout) as SiteReport;
	return {...report, exitCode, stderr, of: check => report.findings.find(finding => finding.check === check)};
};

/** All that it says of a site that is well: what it waits for, on a busy machine. */
export const ONLY_WAITING: unknown = expect.stringMatching(/^(?:qmr: the queue-job (?:waits in the queue|runs, but) .*\n)*$/);

/** What is told of the clock of a node that has the same one, as far as that can be known. */
export const expectSameClock = ({found = ''}: Partial<Finding> = {}, host = ''): void => {
	const [, of, apart, uncertainty] = /^the clock of (\S+) is ([\d.]+) s \w+ \(known to ±([\d.]+) s/.exec(found) ?? [];
	expect([of, Number(apart) - Number(uncertainty)]).toEqual([host, expect.toSatisfy((overMs: number) => overMs <= 0.02)]);
};

/** Of how fast a queue answers: on a busy machine it is slow. */
export const ANSWERED: unknown = expect.stringMatching(/^(?:ok|note)$/);

export const levelsOf = ({findings}: SiteReport): Readonly<Record<string, string>> =>
	Object.fromEntries(findings.map(({check, level}) => [check, level]));
