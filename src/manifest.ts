/** run.json: what one map is. Written once, before anything is submitted; read by its workers and by people. No value of the environment. */
import type {StreamChunking} from './chunks.js';
import type {FunctionReference} from './function-reference.js';

export type Manifest = {
	readonly format: typeof MANIFEST_FORMAT;
	readonly library: {readonly name: 'queue-map-reduce'; readonly version: string};
	/** Node version of the process-node; the worker-nodes must run the same major. */
	readonly node: string;
	readonly session: string;
	/** Where it is: what is copied elsewhere can't be gone on with. */
	readonly workDir: string;
	/** UTC. */
	readonly createdAt: string;
	readonly message: string;
	readonly tags: readonly string[];
	readonly function: FunctionReference;
	/** `starmap` calls `fn(...task)`. */
	readonly call: 'map' | 'starmap';
	readonly seed: string;
	readonly engine: string;
	/** Null for a stream: how many there are nobody knew when this was written. */
	readonly numTasks: number | null;
	readonly numChunks: number | null;
	/** How a stream is cut; absent for tasks that were at hand. */
	readonly stream?: StreamChunking;
	/** The size of the file with the value of the option `shared`; undefined when it was not given. */
	readonly sharedBytes?: number;
	/** What the worker program must know of the options. */
	readonly worker: WorkerOptions;
	/** What the user asked for; of the environment only names. */
	readonly options: Readonly<Record<string, unknown>>;
	/** Options that are not there as they were: functions, and those with values of the environment in them. */
	readonly incompleteOptions: readonly string[];
	readonly processNode: {
		readonly host: string;
		readonly user: string;
		readonly pid: number;
		readonly cwd: string;
		readonly command: readonly string[];
	};
	/** How Node is started there, so that the map can be run again as it was. */
	readonly launch: {readonly nodePath: string; readonly nodeArguments: readonly string[]; readonly umask: number};
	/** The git commit of the current directory, if it is in a checkout. */
	readonly gitCommit?: string;
	/** Of what differs from that commit, when it was asked for: it has a file of its own. */
	readonly gitDiffBytes?: number;
	/** The `qmr.config.json` that options are from. */
	readonly configFiles: readonly string[];
	/** The map that this one computes again. */
	readonly rerunOf?: {readonly session: string; readonly workDir: string};
	/** Of a map of `qmr run`: which run it belongs to, and the hosts that may run its jobs; none for any. */
	readonly commandRun?: {readonly id: string; readonly hosts: readonly string[]};
	/** Of some tasks of another map, computed again: which tasks they are there, by index here. */
	readonly itasks?: readonly number[];
};

export const MANIFEST_FORMAT = 1;

/** The options of the same names, with their defaults. */
export type WorkerOptions = {
	readonly maxNumResubmissions: number;
	readonly retries: number;
	/** Null for no limit. */
	readonly taskLimitMs: number | null;
	readonly onCodeChange: 'fail' | 'warn';
	/** With `schedule: 'dynamic'`: chunks from this one on are for whoever claims them. Null for static chunks. */
	readonly numJobs: number | null;
	readonly graceMs: number;
};
