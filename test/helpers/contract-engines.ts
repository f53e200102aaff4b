/** Engines of this library, as if somebody had brought them. */
import {existsSync, symlinkSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import type {Engine} from 'queue-map-reduce';
import {initQueueState, type QueueState} from 'queue-map-reduce/dummy-queue';
import {createGridEngine, type GridEngineOptions} from '../../src/engines/grid-engine.js';
import {createSlurmEngine, type SlurmOptions} from '../../src/engines/slurm.js';
import {userName} from '../../src/user-name.js';

const COMMON = {
	queueName: undefined,
	qsubArgs: [],
	errorStateIndicator: 'E',
	programTimeoutMs: 60_000,
	submitConcurrency: 4,
	user: userName(),
};

/** An engine of this library is chosen by its name: an object must have another one. */
const brought = (options: GridEngineOptions): Engine => ({...createGridEngine(options), name: 'grid-engine-under-contract'});

/** So many may ask the dummy queue at once, which keeps whoever asks until the queue-job has ended that it executes meanwhile. */
const NUM_ASKERS = 16;

/** A Grid Engine over an empty dummy queue. It is asked as by several processes: one process has one question under way. */
export const createDummyEngine = (
	directory: string,
	{queueName, ...state}: Partial<QueueState> & {readonly queueName?: string} = {},
): Engine => {
	const {qsubPath, qstatPath, qdelPath, qacctPath, qalterPath, qconfPath} = initQueueState(directory, state);
	const create = (path: string): Engine =>
		brought({...COMMON, qsubPath, qstatPath: path, qdelPath, qacctPath, qalterPath, qconfPath, queueName});
	const idle = Array.from({length: NUM_ASKERS}, (_, i) => {
		const path = join(directory, `qstat-${i}`);
		symlinkSync(qstatPath, path);
		return create(path);
	});
	return {
		...create(qstatPath),
		status: async notBeforeMs => {
			const asker = idle.shift();
			if (asker === undefined) throw new Error('All who may ask the dummy queue are waiting for its answer.');
			try {
				return await asker.status(notBeforeMs);
			} finally {
				idle.push(asker);
			}
		},
	};
};

/** The Grid Engine whose programs are on PATH. */
export const createRealGridEngine = (changes: Partial<GridEngineOptions> = {}): Engine =>
	brought({
		...COMMON,
		qsubPath: findOnPath('qsub'),
		qstatPath: findOnPath('qstat'),
		qdelPath: findOnPath('qdel'),
		qacctPath: findOnPath('qacct'),
		qalterPath: findOnPath('qalter'),
		qconfPath: findOnPath('qconf'),
		...changes,
	});

/** The Slurm whose programs are on PATH. */
export const createRealSlurm = (changes: Partial<SlurmOptions> = {}): Engine => ({
	...createSlurmEngine({
		sbatchPath: findOnPath('sbatch'),
		squeuePath: findOnPath('squeue'),
		scancelPath: findOnPath('scancel'),
		scontrolPath: findOnPath('scontrol'),
		sacctPath: findOnPath('sacct'),
		queueName: undefined,
		sbatchArgs: [],
		programTimeoutMs: 60_000,
		submitConcurrency: 4,
		user: userName(),
		...changes,
	}),
	name: 'slurm-under-contract',
});

const findOnPath = (program: string): string => {
	const path = (process.env.PATH ?? '')
		.split(delimiter)
		.map(directory => join(directory, program))
		.find(existsSync);
	if (path === undefined) throw new Error(`No ${program} is on PATH.`);
	return path;
};
