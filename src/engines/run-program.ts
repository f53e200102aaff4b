/** Calls one program of a scheduler, without a shell, and waits for it no longer than it may take. */
import {statSync} from 'node:fs';
import {PoolError} from '../errors.js';
import {setPatientTimeout} from '../patient-timeout.js';
import {killGroup} from './kill-group.js';

export type ProgramResult = {
	/** `not-started`: this machine can start no program at the moment, or the file can't be read now; `stderr` says why. `given-up`: it said what it was not to say. */
	readonly ending: 'exited' | 'killed' | 'timed-out' | 'not-started' | 'given-up';
	/** Undefined unless it exited. */
	readonly exitCode: number | undefined;
	readonly stdout: string;
	readonly stderr: string;
};

/** Of a program that has ended the pipes are read for so long: what it left running, as the shared connection of an ssh, may hold them for ever. */
const LAST_WORDS_MS = 1000;

/** These pass: no process to be had on this machine, a file that a network file system can't read now. All others say that the program is not there. */
const PASSING_CODES: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ESTALE', 'EIO', 'ETXTBSY']);

export type ProgramSettings = {
	readonly timeoutMs: number;
	readonly environment: NodeJS.ProcessEnv;
	/** It is killed as soon as it says such a thing on stderr. */
	readonly giveUpAt?: RegExp;
	/** What it says is English without our help, and what is added to its environment might be handed on. */
	readonly isEnvironmentExact?: boolean;
};

/** @throws PoolError `ERR_POOL_PROGRAM_MISSING` when it does not exist or can't be executed. */
export const runProgram = async (
	program: string,
	args: readonly string[],
	{timeoutMs, environment, giveUpAt, isEnvironmentExact = false}: ProgramSettings,
): Promise<ProgramResult> => {
	const {execa} = await import('execa');
	const subprocess = execa(program, args, {
		cwd: workingDirectory(),
		// A process group of its own: Ctrl-C at the terminal must not kill a qsub that is under way, and a time-out ends its children, too.
		detached: true,
		stdin: 'ignore',
		reject: false,
		stripFinalNewline: false,
		// Its messages are read.
		env: isEnvironmentExact ? environment : {...environment, LC_ALL: 'C', LANGUAGE: ''},
		extendEnv: false,
	});
	const closePipes = (): void => {
		subprocess.stdout.destroy();
		subprocess.stderr.destroy();
	};
	let given: 'timed-out' | 'given-up' | undefined;
	const end = (why: typeof given): void => {
		given = why;
		killGroup(subprocess.pid);
		closePipes();
	};
	let stopWaiting = setPatientTimeout(() => end('timed-out'), timeoutMs);
	let said = '';
	if (giveUpAt !== undefined) {
		subprocess.stderr.on('data', data => {
			said += String(data);
			if (given === undefined && giveUpAt.test(said)) end('given-up');
		});
	}
	subprocess.once('exit', () => {
		stopWaiting();
		stopWaiting = setPatientTimeout(closePipes, LAST_WORDS_MS);
	});
	const result = await subprocess;
	stopWaiting();
	if (subprocess.pid === undefined && PASSING_CODES.has(result.code)) {
		return {ending: 'not-started', exitCode: undefined, stdout: '', stderr: result.originalMessage ?? String(result.code)};
	}
	if (subprocess.pid === undefined) {
		throw new PoolError('ERR_POOL_PROGRAM_MISSING', `The program ${program} can't be executed: ${result.originalMessage ?? result.code}`, {
			cause: result,
		});
	}
	return {
		ending: given ?? (result.exitCode === undefined ? 'killed' : 'exited'),
		exitCode: result.exitCode,
		stdout: result.stdout,
		stderr: result.stderr,
	};
};

/** The caller's, as default request files may be there; when that is removed while a map runs nothing could be started in it. */
const workingDirectory = (): string => {
	try {
		return statSync(process.cwd()).isDirectory() ? process.cwd() : '/';
	} catch {
		return '/';
	}
};
