import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {type DummyQueue, initQueueState, type QueueState} from 'queue-map-reduce/dummy-queue';
import {onTestFinished} from 'vitest';

/** What a program printed and exited with. */
export type Called = {stdout: string; stderr: string; exitCode: number | null};

/** A directory that is removed when the test has finished. */
export const makeTemporaryDirectory = (): string => {
	const directory = mkdtempSync(path.join(tmpdir(), 'dummy-queue-test-'));
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	return directory;
};

/** An empty dummy queue of this test's own. */
export const makeDummyQueue = (options: Partial<QueueState> = {}): DummyQueue =>
	initQueueState(path.join(makeTemporaryDirectory(), 'queue'), options);

/** Calls a program and waits for its end, or kills it once `until` is fulfilled. */
export const call = async (
	program: string,
	words: readonly string[] = [],
	{cwd, env, input = ''}: {cwd?: string; env?: NodeJS.ProcessEnv; input?: string} = {},
): Promise<Called> =>
	new Promise((resolve, reject) => {
		const child = spawn(program, words, {...(cwd !== undefined && {cwd}), ...(env && {env}), stdio: 'pipe'});
		let [stdout, stderr] = ['', ''];
		child.stdout.setEncoding('utf8').on('data', text => {
			stdout += text;
		});
		child.stderr.setEncoding('utf8').on('data', text => {
			stderr += text;
		});
		child.once('error', reject);
		child.once('close', exitCode => resolve({stdout, stderr, exitCode}));
		// A program that does not read its input may be gone by now.
		child.stdin.on('error', () => undefined);
		child.stdin.end(input);
	});

/** Submits a program without output files and returns its number. */
export const submit = async (queue: DummyQueue, name: string, ...words: readonly string[]): Promise<number> => {
	const {stdout, stderr} = await call(queue.qsubPath, [
		...['-terse', '-N', name, '-o', '/dev/null', '-e', '/dev/null'],
		...(words.length > 0 ? words : ['-b', 'y', 'true']),
	]);
	if (!/^\d+\n$/.test(stdout)) {
		throw new Error(`qsub gave no number: ${stdout}${stderr}`);
	}

	return Number(stdout);
};

/** Calls qstat once and returns the letters of every listed queue-job, by name. */
export const pollStates = async (queue: DummyQueue): Promise<Record<string, string>> => {
	const {stdout} = await call(queue.qstatPath, ['-xml']);
	const listed = stdout.matchAll(/<JB_name>(.*)<\/JB_name>\n.*\n\s*<state>(.*)<\/state>/g);
	return Object.fromEntries([...listed].map(([, name, state]) => [name, state]));
};
