/** Every option: what it means, and its default. What it must be is checked in check-options.ts. */
import type {Engine} from './engines/engine.js';
import type {TaskErrorKind} from './errors.js';

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
	/** Tasks that were not computed, for the map was ended before: by `signal`, `stopOnError`, `cancel()`, `qmr cancel` or an error. */
	readonly cancelled: number;
	/** Tasks in chunks whose queue-job runs. */
	readonly running: number;
	/** All others. */
	readonly pending: number;
	/** Tasks that end in a second, by the last minute, or by the last 20 of long ones; what a resumed map had before does not count. Undefined until one has ended. */
	readonly rate: number | undefined;
	/** Milliseconds that the rest will take at that rate; undefined as long as nobody knows, as of a stream of tasks that is still read. */
	readonly remainingMs: number | undefined;
};

/** What a queue-job is given. What is not named is the scheduler's default. */
export type Resources = {
	/** Of all its processes and slots together: bytes, or a text as `500M` or `8G` (powers of 1024). Three quarters of it are for V8's heap, see the README. */
	readonly memory?: number | string;
	/** After which it is killed: seconds, or a text as `90m`, `36h`, `2d` or `01:30:00`. */
	readonly time?: number | string;
	/** Processors, all on one host. */
	readonly slots?: number;
	/** 0 for none. */
	readonly gpus?: number;
	/** The name of a queue; Slurm: of a partition. It wins over `queueName`. */
	readonly queue?: string;
	/** On whose account it runs; Slurm: `--account`. */
	readonly project?: string;
	/** Grid Engine: in which more than one slot is asked for; when it is not named, `qconf` is asked for one that gives all slots on one host. */
	readonly parallelEnvironment?: string;
};

/** What `resources` may depend on. */
export type AttemptInfo = {
	/** From 1. */
	readonly attempt: number;
	/** Why the attempt before failed; undefined for the first. */
	readonly lastFailure: TaskErrorKind | undefined;
};

/** Options of `new Pool(options)`, each of which a call may override. */
export type PoolOptions = {
	/**
	 * What runs the queue-jobs: `grid-engine` (qsub, qstat, qdel), `slurm` (sbatch, squeue, scancel), `local` (child processes of this machine), or an engine of your own, an object of the type `Engine`.
	 *
	 * @default `grid-engine` when `qsubPath`, `qstatPath` or `qdelPath` is given or a Grid Engine is on PATH; `slurm` when `sbatchPath`, `squeuePath` or `scancelPath` is given or a Slurm is on PATH; `grid-engine` when `queueName` is given; `local` when no scheduler is.
	 */
	readonly engine?: 'grid-engine' | 'slurm' | 'local' | Engine;
	/** Name of the queue, as `short.q`, on Slurm of the partition; without it the scheduler chooses. */
	readonly queueName?: string;
	/** Further arguments for qsub, passed on as they are, as `['-l', 'h_vmem=8G']`; not `-t`, `-sync` or `-verify`. @default [] */
	readonly qsubArgs?: readonly string[];
	/** Further arguments for sbatch, passed on as they are, as `['--qos=long', '--constraint=avx2']`; not `--array`, `--clusters` (set SLURM_CLUSTERS), `--wait` or `--test-only`. @default [] */
	readonly sbatchArgs?: readonly string[];
	/**
	 * What each queue-job is given: `{memory: '8G', time: '12h', slots: 4, gpus: 1, queue: 'long.q', project: 'physics', parallelEnvironment: 'smp'}` or some of it, or a function that says so for each attempt, so that one that ran
	 * out of memory gets more: `({attempt}) => ({memory: attempt * 4 * 2 ** 30})`. A call's replace those of its pool as a whole.
	 */
	readonly resources?: Resources | ((info: AttemptInfo) => Resources);
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
	/**
	 * The program that knows why a queue-job waits; nothing depends on its being there.
	 *
	 * @default `qalter`, or none when `qstatPath` is given
	 */
	readonly qalterPath?: string;
	/**
	 * The program that knows how long an array may be here, and in which parallel environment slots are to be had; without it the one must be named, and arrays are short.
	 *
	 * @default `qconf`, or none when `qstatPath` is given
	 */
	readonly qconfPath?: string;
	/** Slurm's program that submits queue-jobs; a name is looked up on PATH. @default `sbatch` */
	readonly sbatchPath?: string;
	/** Slurm's program that lists queue-jobs; a name is looked up on PATH. @default `squeue` */
	readonly squeuePath?: string;
	/** Slurm's program that removes queue-jobs; a name is looked up on PATH. @default `scancel` */
	readonly scancelPath?: string;
	/**
	 * Slurm's program that knows why a queue-job ended or waits, how long an array may be, and which nodes do not respond; nothing depends on its being there.
	 *
	 * @default `scontrol`, or none when `squeuePath` is given
	 */
	readonly scontrolPath?: string;
	/**
	 * Slurm's program that knows why a queue-job ended that scontrol has forgotten; nothing depends on its being there.
	 *
	 * @default `sacct`, or none when `squeuePath` is given
	 */
	readonly sacctPath?: string;
	/** On Grid Engine: a queue-job whose state, as `Eqw`, contains this text is deleted and submitted again. @default `E` */
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
	/**
	 * `static`: a queue-job for every chunk. `dynamic`: `numJobs` queue-jobs that take one chunk after the other until none is left: for tasks of uneven length.
	 *
	 * @default `static`
	 */
	readonly schedule?: 'static' | 'dynamic';
	/** Number of queue-jobs that share the chunks of a map; with `schedule: 'dynamic'`, and only with it. */
	readonly numJobs?: number;
	/**
	 * Submit chunks that follow each other as one array of the scheduler (Grid Engine's `-t`, Slurm's `--array`), split when the site allows no larger ones, instead of one queue-job
	 * after the other. Chunks that are submitted again alone are queue-jobs of their own. On `local` nothing changes.
	 *
	 * @default false
	 */
	readonly arrayJobs?: boolean;
	/** Never more queue-jobs of this map run at a time. An array is held to that by the scheduler (`-tc`, `%`); of all others no more are submitted. @default no limit */
	readonly maxConcurrentJobs?: number;
	/** Never more queue-jobs of this map are in the queue, waiting or running; an array counts as many as it has elements. The rest is submitted as they end. @default no limit */
	readonly maxQueuedJobs?: number;
	/** Milliseconds between two qstat calls; the first ones come sooner, and all of them later while nothing changes. @default 5000 */
	readonly pollingIntervalMs?: number;
	/** How often the queue-job of one chunk is submitted again after an error state or a loss, and how often a task may be begun again whose worker died in it. An attempt that finishes a task begins the count anew. @default 10 */
	readonly maxNumResubmissions?: number;
	/** How often `fn` is called again, at once and by the same worker, for a task in which it has failed. @default 0 */
	readonly retries?: number;
	/** Milliseconds that one task may take; after them it fails, also when it blocks the event loop. A thread watches for that. Time for which the queue-job is suspended does not count. @default no limit */
	readonly taskLimitMs?: number;
	/** Keep the next attempt at a chunk away from the hosts where attempts at it have failed. @default true */
	readonly avoidHosts?: boolean;
	/**
	 * What a worker does when the module of `fn` is not what it was at the submission: `fail` its tasks, or `warn` and compute.
	 *
	 * @default `fail`
	 */
	readonly onCodeChange?: 'fail' | 'warn';
	/** Milliseconds after which the queue is asked why a queue-job waits, and says so once; `false` for never. @default 600000 (10 minutes) */
	readonly pendingWarnMs?: number | false;
	/** Milliseconds that a queue-job may wait in the queue; after them it is removed and its tasks fail. @default no limit */
	readonly pendingLimitMs?: number;
	/**
	 * Milliseconds after which the chunk of a running queue-job whose worker-node can't be reached is submitted again elsewhere; `false` for never. The first may still be computing: what `fn`
	 * does to the world may then happen twice.
	 *
	 * @default 600000 (10 minutes)
	 */
	readonly unreachableAfterMs?: number | false;
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
	/** Milliseconds after which one call of a program of the scheduler is killed, and an engine of your own counts as silent. @default 60000 */
	readonly programTimeoutMs?: number;
	/** How many calls of qsub or sbatch may be under way at a time, for all maps of a pool together. @default 8 */
	readonly submitConcurrency?: number;
	/** The directory of this map; it must not exist, or be empty. @default `<workRoot>/<session>` */
	readonly workDir?: string;
	/** Where work_dirs are made; it must be on a file system that the worker-nodes share. @default `.qmr` in the current directory */
	readonly workRoot?: string;
	/** The work_dir of an earlier call with the same function and the same tasks, which is gone on with: what is finished is not computed again. */
	readonly resume?: string;
	/** Keep the work_dir also when everything succeeded. @default false */
	readonly keepWorkDir?: boolean;
	/** End the map at the first failed task; the tasks not done by then are cancelled. @default false */
	readonly stopOnError?: boolean;
	/** Ends the map: its queue-jobs are removed and it rejects with `signal.reason`. */
	readonly signal?: AbortSignal;
	/**
	 * While a map runs: remove its queue-jobs at SIGINT (Ctrl-C; a second one leaves at once), leave them running at SIGTERM and SIGHUP, and say how to go on; then let the process end. `false` leaves the signals alone.
	 *
	 * @default true
	 */
	readonly handleSignals?: boolean;
	/** Called with the numbers whenever they change. */
	readonly onProgress?: (progress: Progress) => void;
	/** Show the numbers, the rate and the time left on stderr: one live line on a terminal, elsewhere a line every few seconds while they change. @default false */
	readonly progress?: boolean;
	/** A note to yourself, kept in run.json. @default '' */
	readonly message?: string;
	/** Words to find the map by, as `['pilot', 'figure-3']`, kept in run.json. @default [] */
	readonly tags?: readonly string[];
	/** Keep what differs from the git commit in the current directory, as `git diff HEAD` tells it, in `git.diff` in the work_dir. @default false */
	readonly gitDiff?: boolean;
	/** Whether options of the files `qmr.config.json` hold for what the program leaves open. @default true */
	readonly config?: boolean;
	/** What `taskContext().seed` is made of; the same seed gives every task the same number again. @default the session */
	readonly seed?: number | string;
	/** Any value that all tasks need, as a table or a model: written once for a map in place of once into every task, and read once by each queue-job. Tasks get it by `taskContext().shared`. */
	readonly shared?: unknown;
};
