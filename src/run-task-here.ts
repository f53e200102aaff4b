/** One task of a map in the foreground: in its directory and environment, on this machine, maybe under a debugger. */
import {spawn} from 'node:child_process';
import {mkdtemp, readdir, rm} from 'node:fs/promises';
import {constants, tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {PoolError} from './errors.js';
import {findChanges} from './find-changes.js';
import {findMapToRerun} from './find-map.js';
import {ENVIRONMENT_SCRIPT} from './layout.js';
import {realFiles} from './ports.js';
import {quoteForShell} from './quote-for-shell.js';
import {readWhole} from './read-whole.js';
import {findTask, wantedTasks} from './tasks-again.js';
import type {TaskFailure} from './v8-serialize-helpers.js';
import {deserialiseValue} from './v8-values.js';
import type {OneOutcome} from './worker/one-task.js';

export type TaskHere = {
	readonly workDir: string;
	readonly itask: number;
	/** As `--inspect-brk`, for Node. */
	readonly nodeArguments: readonly string[];
	readonly nodePath: string | undefined;
	/** The descriptor of this process to which the task's stdout goes. */
	readonly stdout: 1 | 2;
	/** One line for the person at the terminal. */
	readonly tell: (line: string) => void;
};

export type OutcomeHere = {
	readonly itask: number;
	readonly input: unknown;
	readonly elapsedMs: number | undefined;
	/** Where files of the task are; undefined when it has made none. */
	readonly taskDir: string | undefined;
} & ({readonly status: 'fulfilled'; readonly value: unknown} | {readonly status: 'rejected'; readonly failure: TaskFailure});

/** @throws PoolError `ERR_POOL_RESUME` when there is no such map, `ERR_POOL_OPTION` when it has no such task, `ERR_POOL_TASKS` when that can't be read. */
export const runTaskHere = async (request: TaskHere): Promise<OutcomeHere> => {
	const {itask, tell} = request;
	const map = await findMapToRerun(resolve(request.workDir));
	const {manifest, workDir} = map;
	const found = await findTask(map, itask);
	if (found === undefined)
		throw new PoolError('ERR_POOL_OPTION', `Expected the number of a task of ${workDir}, got ${itask}, which it does not have.`);
	const [input] = await wantedTasks(map, [itask]);
	for (const sentence of (await findChanges(manifest)).sentences) tell(sentence);
	const scratch = await mkdtemp(join(tmpdir(), `qmr-task-${itask}-`));
	const taskDir = join(scratch, 'files');
	const outcomePath = join(scratch, 'outcome');
	const words = [
		...[request.nodePath ?? manifest.launch.nodePath, ...manifest.launch.nodeArguments, ...request.nodeArguments, ONE_TASK],
		...[workDir, String(found.ichunk), String(found.index), taskDir, outcomePath],
	];
	const script = `umask ${manifest.launch.umask.toString(8).padStart(4, '0')}
cd ${quoteForShell(manifest.processNode.cwd)} || exit
. ${quoteForShell(join(workDir, ENVIRONMENT_SCRIPT))}
exec ${words.map(quoteForShell).join(' ')}`;
	try {
		const ended = await runScript(script, request.stdout);
		const outcome = parseOutcome(await readWhole(realFiles, outcomePath)) ?? {
			elapsedMs: undefined,
			failure: diedAs(ended),
			bytes: undefined,
		};
		const files = await readdir(taskDir).catch(() => []);
		const common = {itask, input, elapsedMs: outcome.elapsedMs, taskDir: files.length === 0 ? undefined : taskDir};
		return outcome.failure === undefined
			? {...common, status: 'fulfilled', value: outcome.bytes && deserialiseValue(outcome.bytes)}
			: {...common, status: 'rejected', failure: outcome.failure};
	} finally {
		await rm(outcomePath, {force: true});
		if ((await readdir(taskDir).catch(() => [])).length === 0) await rm(scratch, {recursive: true, force: true});
	}
};

const ONE_TASK = fileURLToPath(new URL('./worker/one-task.js', import.meta.url));

type Ended = {readonly code: number | null; readonly signal: NodeJS.Signals | null};

/** Ctrl-C goes to all that is in the foreground: the task ends by it, and this process tells so. */
const runScript = async (script: string, stdout: 1 | 2): Promise<Ended> => {
	const wait = (): void => undefined;
	process.on('SIGINT', wait);
	try {
		return await new Promise((resolveEnd, reject) => {
			const child = spawn('/bin/sh', ['-c', script], {stdio: ['ignore', stdout, 2]});
			child.once('error', reject);
			child.once('exit', (code, signal) => resolveEnd({code, signal}));
		});
	} finally {
		process.off('SIGINT', wait);
	}
};

const parseOutcome = (bytes: Buffer | undefined): (OneOutcome & {readonly bytes: Buffer}) | undefined => {
	if (bytes === undefined) return undefined;
	const end = bytes.indexOf('\n');
	return {...(JSON.parse(bytes.subarray(0, end).toString()) as OneOutcome), bytes: bytes.subarray(end + 1)};
};

/** A shell reports a death by signal as 128 + its number. */
const SIGNAL_EXIT = 128;

const diedAs = ({code, signal}: Ended): TaskFailure => {
	const name = signal ?? Object.entries(constants.signals).find(([, number]) => SIGNAL_EXIT + number === code)?.[0];
	const how = name === undefined ? `ended with exit code ${code}` : `was killed by ${name}`;
	return {kind: name === undefined ? 'start-failed' : 'killed', message: `its process ${how} before the task had an outcome`};
};
