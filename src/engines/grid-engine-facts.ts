/** What a Grid Engine says of its site: its version, and how many queue-jobs are allowed. */
import type {SiteFacts} from './engine.js';
import {runGridEngineProgram} from './grid-engine-program.js';

export type GridEngineFactsOptions = {
	/** Absolute paths. */
	readonly qstatPath: string;
	/** Undefined when there is none: then nothing is known of limits. */
	readonly qconfPath: string | undefined;
	readonly programTimeoutMs: number;
};

/** Never rejects: what is not told is undefined. */
export const askGridEngine = async ({qstatPath, qconfPath, programTimeoutMs}: GridEngineFactsOptions): Promise<SiteFacts> => {
	const ask = async (program: string | undefined, args: readonly string[]): Promise<string> => {
		if (program === undefined) return '';
		const settings = {timeoutMs: programTimeoutMs, environment: process.env};
		return runGridEngineProgram(program, args, settings).then(
			({stdout, stderr}) => (stdout === '' ? stderr : stdout),
			() => '',
		);
	};
	const [help, configuration] = await Promise.all([ask(qstatPath, ['-help']), ask(qconfPath, ['-sconf'])]);
	return {
		product: parseProduct(help),
		maxJobsPerUser: {name: 'max_u_jobs', limit: parseLimit(configuration, 'max_u_jobs')},
		maxJobs: {name: 'max_jobs', limit: parseLimit(configuration, 'max_jobs')},
		isArrayOneJob: true,
	};
};

/** The first line of any program's help, as `SGE 8.1.9` or `GE 6.2u5`. */
export const parseProduct = (help: string): string | undefined => {
	const [first = ''] = help.trimStart().split('\n');
	return /^[A-Za-z][\w ]* v?\d[\w.-]*$/.test(first.trim()) ? first.trim() : undefined;
};

/** In the output of `qconf -sconf`, where 0 stands for no limit. */
export const parseLimit = (configuration: string, name: string): number | undefined => {
	const value = new RegExp(`^${name}\\s+(\\d+)\\s*$`, 'm').exec(configuration)?.[1];
	if (value === undefined) return undefined;
	return Number(value) === 0 ? Number.POSITIVE_INFINITY : Number(value);
};
