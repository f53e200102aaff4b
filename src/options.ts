/**
 * Every option: what it means, its default, and what it must be. Checked once, before anything is written or submitted.
 */
import {PoolError} from './errors.js';

/**
 * Which variables a queue-job gets beside the scheduler's own (`JOB_ID`, `TMPDIR`, `NSLOTS`, `SGE_*`, …), which always stay the job's.
 *
 * - `true`: all of the caller's, and nothing of what only the site set.
 * - `false`: none of the caller's. The job has what the site gives it.
 * - names: these of the caller's, beside what the site gives. A name the caller does not have is passed over.
 * - an object: exactly these, and nothing of what only the site set.
 */
export type EnvironmentOption = boolean | readonly string[] | Readonly<Record<string, string>>;

/** The state of a running map in numbers of tasks. */
export type Progress = {
	readonly total: number;
	/** Tasks with a value. */
	readonly done: number;
	/** Tasks that ended in a failure. */
	readonly failed: number;
	/** Tasks in chunks whose queue-job runs. */
	readonly running: number;
	/** All others. */
	readonly pending: number;
};

/** Options of `new Pool(options)`, each of which a call may override. */
export type PoolOptions = {
	/**
	 * What runs the queue-jobs: `grid-engine` (qsub, qstat, qdel) or `local` (child processes of this machine).
	 *
	 * @default `grid-engine` when `queueName`, `qsubPath`, `qstatPath` or `qdelPath` is given or a Grid Engine is on PATH; `local` when no scheduler is.
	 */
	readonly engine?: 'grid-engine' | 'local';
	/** Name of the queue, as `short.q`; without it the scheduler chooses. */
	readonly queueName?: string;
	/** Further arguments for qsub, passed on as they are, as `['-l', 'h_vmem=8G']`. @default [] */
	readonly qsubArgs?: readonly string[];
	/** The program that submits queue-jobs; a name is looked up on PATH. @default `qsub` */
	readonly qsubPath?: string;
	/** The program that lists queue-jobs; a name is looked up on PATH. @default `qstat` */
	readonly qstatPath?: string;
	/** The program that removes queue-jobs; a name is looked up on PATH. @default `qdel` */
	readonly qdelPath?: string;
	/**
	 * The program that knows why a queue-job ended; nothing depends on its being there.
	 *
	 * @default `qacct`, or none when `qstatPath` is given
	 */
	readonly qacctPath?: string;
	/** A queue-job whose state, as `Eqw`, contains this text is deleted and submitted again. @default `E` */
	readonly errorStateIndicator?: string;
	/** Queue-jobs at once on `local`. @default the processors this process may use, or the slots its own queue-job was given */
	readonly slots?: number;
	/** Absolute path of the Node program on the worker-nodes; its major version must be that of this process. @default `process.execPath` */
	readonly nodePath?: string;
	/**
	 * The caller's environment for the tasks: `true` all of it, a list of names these only, a record exactly these values, `false` nothing.
	 * The scheduler's own variables (JOB_ID, TMPDIR, NSLOTS, …) are always the queue-job's own.
	 *
	 * @default true
	 */
	readonly env?: EnvironmentOption;
	/** Number of chunks, of even size. @default one task a chunk up to 1000 chunks, above that 1000; on `local` 4 a slot */
	readonly numChunks?: number;
	/** Number of tasks in a chunk; not together with `numChunks`. */
	readonly chunkSize?: number;
	/** Milliseconds between two qstat calls; the first ones come sooner, and all of them later while nothing changes. @default 5000 */
	readonly pollingIntervalMs?: number;
	/** How often the queue-job of one chunk is submitted again after an error state or a loss. @default 10 */
	readonly maxNumResubmissions?: number;
	/**
	 * Milliseconds after which a queue-job that left the queue without its result counts as lost. Network file systems may show a new file
	 * up to a minute late.
	 *
	 * @default 90000
	 */
	readonly graceMs?: number;
	/**
	 * Milliseconds for which the scheduler (qstat fails, qsub takes nothing) or the file system of the work_dir may be out of order before the map gives up.
	 *
	 * @default 21600000 (6 hours)
	 */
	readonly outageLimitMs?: number;
	/** Milliseconds after which one call of qsub, qstat, qdel or qacct is killed. @default 60000 */
	readonly programTimeoutMs?: number;
	/** The directory of this map; it must not exist, or be empty. @default `<workRoot>/<session>` */
	readonly workDir?: string;
	/** Where work_dirs are made; it must be on a file system that the worker-nodes share. @default `.qmr` in the current directory */
	readonly workRoot?: string;
	/** Keep the work_dir also when everything succeeded. @default false */
	readonly keepWorkDir?: boolean;
	/** End the map at the first failed task; the tasks not done by then are cancelled. @default false */
	readonly stopOnError?: boolean;
	/** Ends the map: its queue-jobs are removed and it rejects with `signal.reason`. */
	readonly signal?: AbortSignal;
	/** Called with the numbers whenever they change. */
	readonly onProgress?: (progress: Progress) => void;
	/** Show the numbers on stderr: one live line on a terminal, a line per change elsewhere. @default false */
	readonly progress?: boolean;
	/** A note to yourself, kept in run.json. @default '' */
	readonly message?: string;
	/** What `taskContext().seed` is made of; the same seed gives every task the same number again. @default the session */
	readonly seed?: number | string;
};

/**
 * Checks the options of a call over the options of its pool.
 *
 * @throws PoolError `ERR_POOL_OPTION` naming the option, what was expected and what was got.
 */
export const mergeOptions = (poolOptions: PoolOptions, callOptions: PoolOptions = {}): PoolOptions => {
	checkOptions(poolOptions);
	checkOptions(callOptions);
	const merged: Record<string, unknown> = {...poolOptions, ...withoutUndefined(callOptions)};
	// Of the two ways to say how tasks are chunked, a call's own word replaces the pool's.
	if (callOptions.numChunks !== undefined && callOptions.chunkSize === undefined) delete merged.chunkSize;
	if (callOptions.chunkSize !== undefined && callOptions.numChunks === undefined) delete merged.numChunks;
	if (merged.numChunks !== undefined && merged.chunkSize !== undefined) {
		throw optionError('Expected `numChunks` or `chunkSize`, got both. Leave one of them out.');
	}
	return withoutUndefined(merged) as PoolOptions;
};

const checkOptions = (options: PoolOptions): void => {
	if (!isPlainObject(options)) {
		throw optionError(`Expected the options to be an object, got ${describe(options)}.`);
	}
	for (const [name, value] of Object.entries(options)) {
		if (!Object.hasOwn(RULES, name)) throw optionError(`Expected a known option, got \`${name}\`.${nearestName(name)}`);
		const rule = RULES[name as keyof PoolOptions];
		if (value !== undefined && !rule.accepts(value))
			throw optionError(`Expected \`${name}\` to be ${rule.expected}, got ${describe(value)}.`);
	}
};

type Rule = {readonly expected: string; readonly accepts: (value: unknown) => boolean};

const isIntegerFrom =
	(minimum: number) =>
	(value: unknown): boolean =>
		Number.isSafeInteger(value) && (value as number) >= minimum;

const isStringOf =
	(pattern: RegExp) =>
	(value: unknown): boolean =>
		typeof value === 'string' && pattern.test(value);

/** A Map or another object with a mind of its own has no entries to see: it would count as empty. */
const isPlainObject = (value: unknown): value is object =>
	typeof value === 'object' && value !== null && !Array.isArray(value) && Object.prototype.toString.call(value) === '[object Object]';

const isStringArray = (value: unknown): boolean =>
	Array.isArray(value) && value.every(item => typeof item === 'string' && !item.includes('\0'));

const integerFrom = (minimum: number): Rule => ({expected: `an integer from ${minimum} and up`, accepts: isIntegerFrom(minimum)});
// setTimeout takes no longer delays.
const MAX_DELAY_MS = 2 ** 31 - 1;
const milliseconds = (minimum: number): Rule => ({
	expected: `milliseconds, an integer from ${minimum} to ${MAX_DELAY_MS}`,
	accepts: value => isIntegerFrom(minimum)(value) && (value as number) <= MAX_DELAY_MS,
});
const boolean: Rule = {expected: 'true or false', accepts: value => typeof value === 'boolean'};
const path: Rule = {expected: 'a path (a string that is not empty)', accepts: isStringOf(/^[^\0]+$/)};

const RULES: {readonly [Name in keyof Required<PoolOptions>]: Rule} = {
	engine: {expected: '`grid-engine` or `local`', accepts: value => value === 'grid-engine' || value === 'local'},
	queueName: {expected: 'the name of a queue', accepts: isStringOf(/^[^\s\0]+$/)},
	qsubArgs: {expected: 'an array of strings', accepts: isStringArray},
	qsubPath: path,
	qstatPath: path,
	qdelPath: path,
	qacctPath: path,
	errorStateIndicator: {expected: 'one or more letters of a queue-job state', accepts: isStringOf(/^[A-Za-z]+$/)},
	slots: integerFrom(1),
	nodePath: {expected: 'an absolute path', accepts: isStringOf(/^\/[^\0]+$/)},
	env: {
		expected: 'true, false, an array of names, or a record of strings',
		accepts: value =>
			typeof value === 'boolean' || isStringArray(value) || (isPlainObject(value) && isStringArray(Object.values(value as object))),
	},
	numChunks: integerFrom(1),
	chunkSize: integerFrom(1),
	pollingIntervalMs: milliseconds(1),
	maxNumResubmissions: integerFrom(0),
	graceMs: milliseconds(0),
	outageLimitMs: milliseconds(0),
	programTimeoutMs: milliseconds(1),
	workDir: path,
	workRoot: path,
	keepWorkDir: boolean,
	stopOnError: boolean,
	signal: {expected: 'an AbortSignal', accepts: value => value instanceof AbortSignal},
	onProgress: {expected: 'a function', accepts: value => typeof value === 'function'},
	progress: boolean,
	message: {expected: 'a string', accepts: value => typeof value === 'string'},
	seed: {
		expected: 'a safe integer or a string',
		accepts: value => Number.isSafeInteger(value) || typeof value === 'string',
	},
};

const nearestName = (name: string): string => {
	const ranked = Object.keys(RULES)
		.map(known => ({known, distance: editDistance(name.toLowerCase(), known.toLowerCase())}))
		.sort((a, b) => a.distance - b.distance);
	const best = ranked[0];
	// Of a short name nearly every letter would have to be another one.
	return best !== undefined && best.distance <= Math.min(3, best.known.length / 2)
		? ` Did you mean \`${best.known}\`?`
		: ` The options are: ${Object.keys(RULES).join(', ')}.`;
};

/** The least number of characters to insert, delete or replace (Levenshtein). */
const editDistance = (a: string, b: string): number => {
	let row = Array.from({length: b.length + 1}, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
		}
		row = next;
	}
	return row[b.length] as number;
};

const withoutUndefined = (record: Readonly<Record<string, unknown>> | PoolOptions): Record<string, unknown> =>
	Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

const describe = (value: unknown): string => {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'an array';
	if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
	if (typeof value === 'object')
		return isPlainObject(value) ? 'an object' : `an object (${Object.prototype.toString.call(value).slice(8, -1)})`;
	if (typeof value === 'bigint') return `${value}n`;
	return typeof value === 'function' ? 'a function' : String(value);
};

const optionError = (message: string): PoolError => new PoolError('ERR_POOL_OPTION', message);
