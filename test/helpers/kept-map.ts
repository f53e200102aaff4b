/** A map whose work_dir is there for commands to work on: a small project, a map of its function on the engine `local` or on a dummy queue. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolOptions} from 'queue-map-reduce';
import {type DummyQueue, initQueueState, type QueueState} from 'queue-map-reduce/dummy-queue';
import {onTestFinished, vi} from 'vitest';
import {createTestDirectory} from './engines.js';
import {createProject} from './programs.js';
import {type QmrInput, type QmrRun, runQmr} from './qmr.js';

/** Tasks 3 and 7 fail until there is a file `mended`; every task leaves a file in its taskDir, but task 4. A task that is \`{exit}\` ends its process. */
const WORK = `import {appendFileSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {taskContext} from 'queue-map-reduce';
const here = name => new URL(name, import.meta.url);
export const tell = async x => {
	const {itask, seed, shared, taskDir} = taskContext();
	appendFileSync(here('computed'), itask + '\\n');
	console.log('out of ' + itask);
	if (itask !== 4) writeFileSync(join(taskDir, 'rows.csv'), 'x,y\\n' + itask + ',' + x + (itask % 2 === 0 ? '' : '\\n'));
	mkdirSync(join(taskDir, 'deep'));
	writeFileSync(join(taskDir, 'deep', 'note.txt'), 'of ' + itask, {mode: 0o640});
	while (existsSync(here('wait'))) await sleep(50);
	if ([3, 7].includes(itask) && !existsSync(here('mended'))) throw new RangeError('not yet');
	return {x, itask, seed, shared, cwd: process.cwd(), mark: process.env.KEPT_MARK};
};
`;

export type KeptMap = {
	/** Where the project is; commands run there. */
	readonly directory: string;
	readonly workDir: string;
	readonly queue: DummyQueue | undefined;
	readonly options: PoolOptions;
	readonly qmr: (args: readonly string[], input?: Partial<QmrInput>) => Promise<QmrRun>;
	/** The itask of every call of the function, in order. */
	readonly computed: () => number[];
	readonly touch: (name: string) => void;
};

/** What there is before any map. */
export const makeKeptProject = (
	engine: 'local' | 'dummy',
	state: Partial<QueueState> = {},
	whenOver: (remove: () => void) => void = onTestFinished,
): KeptMap => {
	const {path: directory, remove} = createTestDirectory();
	whenOver(remove);
	createProject(directory, {'work.mjs': WORK});
	const queue = engine === 'dummy' ? initQueueState(join(directory, 'queue'), state) : undefined;
	return {
		directory,
		workDir: join(directory, '.qmr', 'run'),
		queue,
		options: {
			...(queue ?? {engine: 'local', slots: 2}),
			...{numChunks: engine === 'dummy' ? 10 : 4, pollingIntervalMs: 50, graceMs: 300, seed: 'fixed', shared: {table: [1]}},
		},
		qmr: (args, input = {}) => runQmr(args, {cwd: directory, ...input}),
		computed: () =>
			existsSync(join(directory, 'computed')) ? readFileSync(join(directory, 'computed'), 'utf8').trim().split('\n').map(Number) : [],
		touch: name => writeFileSync(join(directory, name), ''),
	};
};

export const functionOf = ({directory}: Pick<KeptMap, 'directory'>): {readonly module: string; readonly name: string} => ({
	module: join(directory, 'work.mjs'),
	name: 'tell',
});

/**
 * A map of ten tasks that has ended, two of which have failed.
 *
 * @param whenOver - Told how to remove it all. @default when the test has finished
 */
export const makeKeptMap = async (
	engine: 'local' | 'dummy',
	options: PoolOptions = {},
	whenOver?: (remove: () => void) => void,
): Promise<KeptMap> => {
	const kept = makeKeptProject(engine, {}, whenOver);
	// A test may listen to what is said already.
	const said = vi.isMockFunction(process.stderr.write) ? undefined : vi.spyOn(process.stderr, 'write').mockReturnValue(true);
	const cwd = vi.spyOn(process, 'cwd').mockReturnValue(kept.directory);
	vi.stubEnv('KEPT_MARK', 'of then');
	const tasks = Array.from({length: 10}, (_, i) => 10 * i);
	await new Pool({...kept.options, ...options}).mapSettled(functionOf(kept), tasks, {workDir: kept.workDir, keepWorkDir: true});
	vi.unstubAllEnvs();
	cwd.mockRestore();
	said?.mockRestore();
	return kept;
};
