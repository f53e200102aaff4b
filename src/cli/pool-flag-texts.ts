/** What the flags of the options of `Pool` are: their words are those of src/options.ts, held equal by a test. */
import type {PoolOptions} from '../options.js';

/**
 * How the text after a flag becomes a value. `number` also takes what is no number as it is, so that the check of the option can tell what is wrong with it.
 */
export type FlagKind = 'text' | 'number' | 'switch' | 'list' | 'arguments' | 'resources' | 'environment' | 'json-file';

export type FlagText = {readonly kind: FlagKind; readonly meaning: string; readonly byDefault: string};

/** Two options can't be written on a command line: a signal and a function. */
export type FlagName = Exclude<keyof PoolOptions, 'signal' | 'onProgress'>;

export const FLAG_TEXTS: {readonly [Name in FlagName]: FlagText} = {
	engine: {
		kind: 'text',
		meaning:
			'What runs the queue-jobs: `grid-engine` (qsub, qstat, qdel), `slurm` (sbatch, squeue, scancel), `local` (child processes of this machine), or an engine of your own, an object of the type `Engine`.',
		byDefault:
			'`grid-engine` when `qsubPath`, `qstatPath` or `qdelPath` is given or a Grid Engine is on PATH; `slurm` when `sbatchPath`, `squeuePath` or `scancelPath` is given or a Slurm is on PATH; `grid-engine` when `queueName` is given; `local` when no scheduler is.',
	},
	queueName: {
		kind: 'text',
		meaning: 'Name of the queue, as `short.q`, on Slurm of the partition; without it the scheduler chooses.',
		byDefault: '',
	},
	qsubArgs: {
		kind: 'arguments',
		meaning: "Further arguments for qsub, passed on as they are, as `['-l', 'h_vmem=8G']`; not `-t`, `-sync` or `-verify`.",
		byDefault: '[]',
	},
	sbatchArgs: {
		kind: 'arguments',
		meaning:
			"Further arguments for sbatch, passed on as they are, as `['--qos=long', '--constraint=avx2']`; not `--array`, `--clusters` (set SLURM_CLUSTERS), `--wait` or `--test-only`.",
		byDefault: '[]',
	},
	resources: {
		kind: 'resources',
		meaning:
			"What each queue-job is given: `{memory: '8G', time: '12h', slots: 4, gpus: 1, queue: 'long.q', project: 'physics', parallelEnvironment: 'smp'}` or some of it, or a function that says so for each attempt, so that one that ran out of memory gets more: `({attempt}) => ({memory: attempt * 4 * 2 ** 30})`. A call's replace those of its pool as a whole.",
		byDefault: '',
	},
	qsubPath: {kind: 'text', meaning: 'The program that submits queue-jobs; a name is looked up on PATH.', byDefault: '`qsub`'},
	qstatPath: {kind: 'text', meaning: 'The program that lists queue-jobs; a name is looked up on PATH.', byDefault: '`qstat`'},
	qdelPath: {kind: 'text', meaning: 'The program that removes queue-jobs; a name is looked up on PATH.', byDefault: '`qdel`'},
	qacctPath: {
		kind: 'text',
		meaning: 'The program that knows why a queue-job ended; nothing depends on its being there.',
		byDefault: '`qacct`, or none when `qstatPath` is given',
	},
	qalterPath: {
		kind: 'text',
		meaning: 'The program that knows why a queue-job waits; nothing depends on its being there.',
		byDefault: '`qalter`, or none when `qstatPath` is given',
	},
	qconfPath: {
		kind: 'text',
		meaning:
			'The program that knows how long an array may be here, and in which parallel environment slots are to be had; without it the one must be named, and arrays are short.',
		byDefault: '`qconf`, or none when `qstatPath` is given',
	},
	sbatchPath: {kind: 'text', meaning: "Slurm's program that submits queue-jobs; a name is looked up on PATH.", byDefault: '`sbatch`'},
	squeuePath: {kind: 'text', meaning: "Slurm's program that lists queue-jobs; a name is looked up on PATH.", byDefault: '`squeue`'},
	scancelPath: {kind: 'text', meaning: "Slurm's program that removes queue-jobs; a name is looked up on PATH.", byDefault: '`scancel`'},
	scontrolPath: {
		kind: 'text',
		meaning:
			"Slurm's program that knows why a queue-job ended or waits, how long an array may be, and which nodes do not respond; nothing depends on its being there.",
		byDefault: '`scontrol`, or none when `squeuePath` is given',
	},
	sacctPath: {
		kind: 'text',
		meaning: "Slurm's program that knows why a queue-job ended that scontrol has forgotten; nothing depends on its being there.",
		byDefault: '`sacct`, or none when `squeuePath` is given',
	},
	errorStateIndicator: {
		kind: 'text',
		meaning: 'On Grid Engine: a queue-job whose state, as `Eqw`, contains this text is deleted and submitted again.',
		byDefault: '`E`',
	},
	slots: {
		kind: 'number',
		meaning: 'Queue-jobs at once on `local`.',
		byDefault: 'the processors this process may use, or the slots its own queue-job was given',
	},
	nodePath: {
		kind: 'text',
		meaning: 'Absolute path of the Node program on the worker-nodes; its major version must be that of this process.',
		byDefault: '`process.execPath`',
	},
	env: {
		kind: 'environment',
		meaning:
			"The caller's environment for the tasks: `true` all of it, a list of names these only, a record exactly these values, `false` nothing. The scheduler's own variables (JOB_ID, TMPDIR, NSLOTS, …) are always the queue-job's own.",
		byDefault: 'true',
	},
	numChunks: {
		kind: 'number',
		meaning: 'Number of chunks, of even size.',
		byDefault: 'one task a chunk up to 1000 chunks, above that 1000; on `local` 4 a slot',
	},
	chunkSize: {kind: 'number', meaning: 'Number of tasks in a chunk; not together with `numChunks`.', byDefault: ''},
	schedule: {
		kind: 'text',
		meaning:
			'`static`: a queue-job for every chunk. `dynamic`: `numJobs` queue-jobs that take one chunk after the other until none is left: for tasks of uneven length.',
		byDefault: '`static`',
	},
	numJobs: {
		kind: 'number',
		meaning: "Number of queue-jobs that share the chunks of a map; with `schedule: 'dynamic'`, and only with it.",
		byDefault: '',
	},
	arrayJobs: {
		kind: 'switch',
		meaning:
			"Submit chunks that follow each other as one array of the scheduler (Grid Engine's `-t`, Slurm's `--array`), split when the site allows no larger ones, instead of one queue-job after the other. Chunks that are submitted again alone are queue-jobs of their own. On `local` nothing changes.",
		byDefault: 'false',
	},
	maxConcurrentJobs: {
		kind: 'number',
		meaning:
			'Never more queue-jobs of this map run at a time. An array is held to that by the scheduler (`-tc`, `%`); of all others no more are submitted.',
		byDefault: 'no limit',
	},
	maxQueuedJobs: {
		kind: 'number',
		meaning:
			'Never more queue-jobs of this map are in the queue, waiting or running; an array counts as many as it has elements. The rest is submitted as they end.',
		byDefault: 'no limit',
	},
	pollingIntervalMs: {
		kind: 'number',
		meaning: 'Milliseconds between two qstat calls; the first ones come sooner, and all of them later while nothing changes.',
		byDefault: '5000',
	},
	maxNumResubmissions: {
		kind: 'number',
		meaning:
			'How often the queue-job of one chunk is submitted again after an error state or a loss, and how often a task may be begun again whose worker died in it. An attempt that finishes a task begins the count anew.',
		byDefault: '10',
	},
	retries: {
		kind: 'number',
		meaning: 'How often `fn` is called again, at once and by the same worker, for a task in which it has failed.',
		byDefault: '0',
	},
	taskLimitMs: {
		kind: 'number',
		meaning:
			'Milliseconds that one task may take; after them it fails, also when it blocks the event loop. A thread watches for that. Time for which the queue-job is suspended does not count.',
		byDefault: 'no limit',
	},
	avoidHosts: {
		kind: 'switch',
		meaning: 'Keep the next attempt at a chunk away from the hosts where attempts at it have failed.',
		byDefault: 'true',
	},
	onCodeChange: {
		kind: 'text',
		meaning: 'What a worker does when the module of `fn` is not what it was at the submission: `fail` its tasks, or `warn` and compute.',
		byDefault: '`fail`',
	},
	pendingWarnMs: {
		kind: 'number',
		meaning: 'Milliseconds after which the queue is asked why a queue-job waits, and says so once; `false` for never.',
		byDefault: '600000 (10 minutes)',
	},
	pendingLimitMs: {
		kind: 'number',
		meaning: 'Milliseconds that a queue-job may wait in the queue; after them it is removed and its tasks fail.',
		byDefault: 'no limit',
	},
	unreachableAfterMs: {
		kind: 'number',
		meaning:
			"Milliseconds after which the chunk of a running queue-job whose worker-node can't be reached is submitted again elsewhere; `false` for never. The first may still be computing: what `fn` does to the world may then happen twice.",
		byDefault: '600000 (10 minutes)',
	},
	graceMs: {
		kind: 'number',
		meaning:
			'Milliseconds after which a queue-job that left the queue without its result counts as lost. Network file systems may show a new file up to a minute late.',
		byDefault: '90000',
	},
	outageLimitMs: {
		kind: 'number',
		meaning:
			'Milliseconds for which the scheduler (qstat fails, qsub takes nothing) or the file system of the work_dir may be out of order before the map gives up.',
		byDefault: '21600000 (6 hours)',
	},
	programTimeoutMs: {
		kind: 'number',
		meaning: 'Milliseconds after which one call of a program of the scheduler is killed, and an engine of your own counts as silent.',
		byDefault: '60000',
	},
	submitConcurrency: {
		kind: 'number',
		meaning: 'How many calls of qsub or sbatch may be under way at a time, for all maps of a pool together.',
		byDefault: '8',
	},
	workDir: {kind: 'text', meaning: 'The directory of this map; it must not exist, or be empty.', byDefault: '`<workRoot>/<session>`'},
	workRoot: {
		kind: 'text',
		meaning: 'Where work_dirs are made; it must be on a file system that the worker-nodes share.',
		byDefault: '`.qmr` in the current directory',
	},
	resume: {
		kind: 'text',
		meaning:
			'The work_dir of an earlier call with the same function and the same tasks, which is gone on with: what is finished is not computed again.',
		byDefault: '',
	},
	keepWorkDir: {kind: 'switch', meaning: 'Keep the work_dir also when everything succeeded.', byDefault: 'false'},
	stopOnError: {
		kind: 'switch',
		meaning: 'End the map at the first failed task; the tasks not done by then are cancelled.',
		byDefault: 'false',
	},
	handleSignals: {
		kind: 'switch',
		meaning:
			'While a map runs: remove its queue-jobs at SIGINT (Ctrl-C; a second one leaves at once), leave them running at SIGTERM and SIGHUP, and say how to go on; then let the process end. `false` leaves the signals alone.',
		byDefault: 'true',
	},
	progress: {
		kind: 'switch',
		meaning:
			'Show the numbers, the rate and the time left on stderr: one live line on a terminal, elsewhere a line every few seconds while they change.',
		byDefault: 'false',
	},
	message: {kind: 'text', meaning: 'A note to yourself, kept in run.json.', byDefault: "''"},
	tags: {kind: 'list', meaning: "Words to find the map by, as `['pilot', 'figure-3']`, kept in run.json.", byDefault: '[]'},
	gitDiff: {
		kind: 'switch',
		meaning: 'Keep what differs from the git commit in the current directory, as `git diff HEAD` tells it, in `git.diff` in the work_dir.',
		byDefault: 'false',
	},
	config: {
		kind: 'switch',
		meaning: 'Whether options of the files `qmr.config.json` hold for what the program leaves open.',
		byDefault: 'true',
	},
	seed: {
		kind: 'text',
		meaning: 'What `taskContext().seed` is made of; the same seed gives every task the same number again.',
		byDefault: 'the session',
	},
	shared: {
		kind: 'json-file',
		meaning:
			'Any value that all tasks need, as a table or a model: written once for a map in place of once into every task, and read once by each queue-job. Tasks get it by `taskContext().shared`.',
		byDefault: '',
	},
};
