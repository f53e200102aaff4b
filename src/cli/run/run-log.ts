/** What the log of `qmr run` says, and counts for it. */
import type {CommandResult} from '../../run-command.js';
import type {Log} from './log.js';

export type RunLog = {
	/** There will be so many lines. */
	readonly total: (numJobs: number) => void;
	readonly submitted: (jobId: string) => void;
	readonly returned: (cmd: string | undefined, result: LoggedResult) => void;
	readonly faulty: (line: number, problem: string) => void;
	/** Ends it. @returns Whether all jobs returned 0. */
	readonly end: () => boolean;
};

export type LoggedResult = Pick<CommandResult, 'code' | 'signal' | 'error'> & {
	readonly elapsed: number | null;
	readonly host: string | null;
};

/** Queue-jobs that are submitted one after the other are told together, when no further one has come for so long. */
const QUIET_MS = 500;

export const createRunLog = (log: Log): RunLog => {
	let total: number | undefined;
	let numDone = 0;
	let numGood = 0;
	let ids: string[] = [];
	let timer: NodeJS.Timeout | undefined;

	const tellSubmitted = (): void => {
		clearTimeout(timer);
		if (ids.length === 0) return;
		const range = ids.length === 1 ? ids[0] : `${ids[0]} to ${ids.at(-1)}`;
		log(`${ids.length} queue-job${ids.length === 1 ? '' : 's'} submitted (${range})`);
		ids = [];
	};
	const count = (): string => `[${++numDone}/${total ?? '?'}]`;

	return {
		total: numJobs => {
			total = numJobs;
			log(`total ${numJobs} jobs`);
		},
		submitted: jobId => {
			ids.push(jobId);
			clearTimeout(timer);
			timer = setTimeout(tellSubmitted, QUIET_MS).unref();
		},
		returned: (cmd, result) => {
			tellSubmitted();
			if (result.code === 0) numGood++;
			log(`${count()} ${describe(result)}${cmd === undefined ? '' : `: ${shorten(cmd)}`}`);
		},
		faulty: (line, problem) => log(`${count()} line ${line} is passed over: ${problem}`),
		end: () => {
			tellSubmitted();
			log(numGood === numDone ? 'completed' : `completed: ${numGood} of ${numDone} returned 0`);
			return numGood === numDone;
		},
	};
};

const describe = ({code, signal, error, elapsed, host}: LoggedResult): string => {
	const where = `${elapsed === null ? '' : ` in ${elapsed.toFixed(3)} s`}${host === null ? '' : ` on ${host}`}`;
	if (error !== undefined) return `could not be run${where} (${error})`;
	return signal === null ? `returned ${code}${where}` : `was killed by ${signal}${where}`;
};

const MAX_SHOWN = 200;

const shorten = (cmd: string): string => (cmd.length <= MAX_SHOWN ? cmd : `${cmd.slice(0, MAX_SHOWN)}…`);
