/** What `qmr map` does, once it is known what was typed. */
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {type CommandMap, createCommandPool} from '../../command-map.js';
import type {FunctionMark} from '../../function-reference.js';
import type {PoolOptions} from '../../options.js';
import type {Outcome} from '../../outcome.js';
import {CommandError, UsageError} from '../command-error.js';
import {toJson} from '../look/to-json.js';
import {showDryRun} from './show-dry-run.js';
import {openStreams, type StreamFlags, type Streams} from './stream-flags.js';
import {tasksOf} from './task-lines.js';

export type MapFlags = StreamFlags & {readonly starmap?: boolean; readonly ordered?: boolean};

export const execute = async (target: string, flags: MapFlags, poolFlags: PoolOptions): Promise<void> => {
	const stopping = new AbortController();
	const pool = createCommandPool({progress: true, ...poolFlags, signal: stopping.signal});
	const meant = {fn: readTarget(target), call: flags.starmap === true ? 'starmap' : 'map', isOrdered: flags.ordered ?? false} as const;
	const streams = openStreams(flags);
	try {
		if (flags.dryRun === true) {
			const tasks = tasksOf(streams.lines, (line, problem) => {
				throw new UsageError(`Expected every line to be JSON, but of line ${line} ${problem}.`);
			});
			showDryRun(await pool.prepare({...meant, tasks}), flags.json ?? false);
			return;
		}
		const numFailed = await mapLines(streams, tasks => pool.iterate({...meant, ...tasks}));
		streams.output.finish();
		streams.log(numFailed === 0 ? 'completed' : `completed: ${numFailed} without a value`);
		if (numFailed > 0) throw new CommandError('');
	} finally {
		streams.close();
		streams.output.close();
	}
};

/** `./model.js#simulate`; a name may have no `#`, a path may. */
export const readTarget = (target: string): FunctionMark => {
	const at = target.lastIndexOf('#');
	const [file, name] = at === -1 ? [target, 'default'] : [target.slice(0, at), target.slice(at + 1)];
	if (file === '' || name === '')
		throw new UsageError(`Expected a module and its export, as ./model.js#simulate, got ${JSON.stringify(target)}.`);
	return {module: pathToFileURL(resolve(file)), name};
};

type Tasks = Pick<CommandMap, 'tasks' | 'hooks'>;

/** @returns How many lines have no value. */
const mapLines = async ({lines, output, log}: Streams, iterate: (tasks: Tasks) => AsyncIterable<Outcome<unknown>>): Promise<number> => {
	/** Lines whose outcome is not there yet, by the index of their task. */
	const open = new Map<number, {readonly line: number; readonly text: string | undefined}>();
	let numFailed = 0;
	let numUnwritten = 0;
	let itask = 0;
	const fail = async (index: number, task: string, error: object): Promise<void> => {
		numFailed++;
		await output.write(`{"index":${index},${task},"error":${JSON.stringify(error)}}`);
	};
	const tasks = tasksOf(
		lines,
		async (line, problem) => {
			log(`line ${line} is passed over: ${problem}`);
			await fail(line - 1, `"line":${line}`, {kind: 'not-json', message: `line ${line}: ${problem}`});
		},
		({line, text}) => open.set(itask++, {line, text}),
	);
	const hooks = {
		onWorkDir: (path: string) => log(`work_dir: ${path} (if this is interrupted, the same command with --resume ${path} goes on)`),
		whyKeep: () => (numUnwritten === 0 ? undefined : 'a value could not be written as JSON'),
	};
	for await (const outcome of iterate({tasks, hooks})) {
		const {line = 0, text = 'null'} = open.get(outcome.itask) ?? {};
		open.delete(outcome.itask);
		const encoded = outcome.status === 'fulfilled' ? toJson(outcome.value) : undefined;
		if (encoded?.kind === 'json') {
			await output.write(`{"index":${line - 1},"task":${text},"value":${encoded.json}}`);
			continue;
		}
		if (encoded !== undefined) numUnwritten++;
		const error = encoded === undefined ? describe(outcome) : {kind: 'not-json', message: encoded.problem, ...whereabouts(outcome)};
		log(`task ${outcome.itask}: ${error.kind}: ${error.message}`);
		await fail(line - 1, `"task":${text}`, error);
	}
	return numFailed;
};

const whereabouts = ({itask, attempt, jobId, host}: Outcome<unknown>): object => ({
	itask,
	attempt,
	jobId: jobId ?? null,
	host: host ?? null,
});

const describe = (outcome: Outcome<unknown>): {readonly kind: string; readonly message: string} => {
	if (outcome.status === 'fulfilled') throw new Error('Expected an outcome without a value.');
	const {kind, reason, remote, stderrTail} = outcome.reason;
	const stack = remote?.stack === undefined ? {} : {stack: remote.stack};
	return {kind, message: reason, ...whereabouts(outcome), ...stack, ...(stderrTail === '' ? {} : {stderr: stderrTail})};
};
