/** What a Slurm says of its site: its version, and how many queue-jobs are allowed. */
import type {SiteFacts} from './engine.js';
import {runProgram} from './run-program.js';
import {slurmEnvironment} from './slurm-environment.js';

export type SlurmFactsOptions = {
	/** Absolute paths. */
	readonly squeuePath: string;
	/** Undefined when there is none: then nothing is known of limits. */
	readonly scontrolPath: string | undefined;
	readonly programTimeoutMs: number;
};

/** Never rejects: what is not told is undefined. How many queue-jobs one user may have is known to the accounting alone, which many sites lack. */
export const askSlurm = async ({squeuePath, scontrolPath, programTimeoutMs}: SlurmFactsOptions): Promise<SiteFacts> => {
	const ask = async (program: string, args: readonly string[]): Promise<string> => {
		const settings = {timeoutMs: programTimeoutMs, environment: slurmEnvironment(process.env)};
		return runProgram(program, args, settings).then(
			({stdout}) => stdout,
			() => '',
		);
	};
	const [version, configuration] = await Promise.all([
		ask(squeuePath, ['--version']),
		scontrolPath === undefined ? '' : ask(scontrolPath, ['show', 'config']),
	]);
	return {
		product: parseProduct(version, configuration),
		maxJobsPerUser: {name: 'MaxSubmitJobs', limit: undefined},
		maxJobs: {name: 'MaxJobCount', limit: parseMaxJobs(configuration)},
		isArrayOneJob: false,
	};
};

/** What `squeue --version` prints, as `slurm-wlm 22.05.8`; of a program that does not know it, what the controller says. */
export const parseProduct = (version: string, configuration: string): string | undefined => {
	const own = /^\s*(slurm[\w-]* \d\S*)\s*$/.exec(version)?.[1];
	const told = /^SLURM_VERSION\s*=\s*(\S+)\s*$/m.exec(configuration)?.[1];
	return own ?? (told === undefined ? undefined : `slurm ${told}`);
};

/** In the output of `scontrol show config`. */
export const parseMaxJobs = (configuration: string): number | undefined => {
	const value = /^MaxJobCount\s*=\s*(\d+)\s*$/m.exec(configuration)?.[1];
	return value === undefined ? undefined : Number(value);
};
