/** The public names, and nothing else. What a worker's module does not need is loaded only when it is used. */
export type {
	ArrayJobs,
	ArrayRequest,
	Engine,
	JobEnd,
	JobEndKind,
	JobQuestion,
	JobRequest,
	JobResources,
	JobState,
	JobStatus,
	SubmitOutcome,
} from './engines/engine.js';
export {MapError, PoolError, type PoolErrorCode, type RemoteError, TaskError, type TaskErrorKind} from './errors.js';
export {type GridAxis, type GridPoint, grid} from './experiments/grid.js';
export {indexed} from './experiments/indexed.js';
export {type ParameterBounds, type ParameterRow, randomParameters} from './experiments/random-parameters.js';
export {randomStream} from './experiments/random-stream.js';
export {type AnyRow, type Table, type TableFailure, type TableRow, table} from './experiments/table.js';
export type {TaskList} from './experiments/task-list.js';
export {task} from './function-reference/mark-task.js';
export type {FunctionMark} from './function-reference.js';
export type {RerunOptions} from './later/rerun-map.js';
export type {MapRun, RunStatus} from './map-run.js';
export type {AttemptInfo, EnvironmentOption, PoolOptions, Progress, Resources} from './options.js';
export type {Outcome} from './outcome.js';
export {type IterateOptions, Pool, type Tasks} from './pool.js';
export {type AttemptRecord, type ReadWorkDirOptions, readWorkDir, type TaskRecord, type WorkDirRecord} from './read/read-work-dir.js';
export {type CommandJob, type CommandResult, runCommand} from './run-command.js';
export {isWorker, type TaskContext, taskContext} from './task-context.js';
