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
export {task} from './function-reference/mark-task.js';
export type {FunctionMark} from './function-reference.js';
export {type GridAxis, type GridPoint, grid} from './grid.js';
export {indexed} from './indexed.js';
export type {MapRun, RunStatus} from './map-run.js';
export type {AttemptInfo, EnvironmentOption, PoolOptions, Progress, Resources} from './options.js';
export type {Outcome} from './outcome.js';
export {type IterateOptions, Pool, type Tasks} from './pool.js';
export {type ParameterBounds, type ParameterRow, randomParameters} from './random-parameters.js';
export {randomStream} from './random-stream.js';
export {type AttemptRecord, type ReadWorkDirOptions, readWorkDir, type TaskRecord, type WorkDirRecord} from './read-work-dir.js';
export type {RerunOptions} from './rerun-map.js';
export {type CommandJob, type CommandResult, runCommand} from './run-command.js';
export {type AnyRow, type Table, type TableFailure, type TableRow, table} from './table.js';
export {isWorker, type TaskContext, taskContext} from './task-context.js';
export type {TaskList} from './task-list.js';
