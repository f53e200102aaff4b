/** Calls one program of a scheduler, without a shell, and waits for it no longer than it may take. */
import {PoolError} from '../errors.js';

export type ProgramResult = {
	readonly ending: 'exited' | 'killed' | 'timed-out';
	/** Undefined when it was killed. */
	readonly exitCode: number | undefined;
	readonly stdout: string;
	readonly stderr: string;
};

/** @throws PoolError `ERR_POOL_PROGRAM_MISSING` when it does not exist or can't be executed. */
export const runProgram = async (
	program: string,
	args: readonly string[],
	{timeoutMs, environment}: {readonly timeoutMs: number; readonly environment: NodeJS.ProcessEnv},
): Promise<ProgramResult> => {
	const {execa} = await import('execa');
	const subprocess = execa(program, args, {
		// A process group of its own: Ctrl-C at the terminal must not kill a qsub that is under way, and a time-out ends its children, too.
		detached: true,
		stdin: 'ignore',
		reject: false,
		stripFinalNewline: false,
		// Its messages are read.
		env: {...environment, LC_ALL: 'C', LANGUAGE: ''},
		extendEnv: false,
	});
	let isTimedOut = false;
	const timer = setTimeout(() => {
		isTimedOut = true;
		killGroup(subprocess.pid);
	}, timeoutMs);
	const result = await subprocess;
	clearTimeout(timer);
	if (result.code === 'ENOENT' || result.code === 'EACCES') {
		throw new PoolError('ERR_POOL_PROGRAM_MISSING', `The program ${program} can't be executed: ${result.originalMessage ?? result.code}`, {
			cause: result,
		});
	}
	return {
		ending: isTimedOut ? 'timed-out' : result.exitCode === undefined ? 'killed' : 'exited',
		exitCode: result.exitCode,
		stdout: result.stdout,
		stderr: result.stderr,
	};
};

const killGroup = (pid: number | undefined): void => {
	if (pid === undefined) return;
	try {
		process.kill(-pid, 'SIGKILL');
	} catch {
		// It ended a moment ago.
	}
};
