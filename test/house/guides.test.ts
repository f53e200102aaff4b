/** The guides say what is true where no snippet can show it: their tables are whole, and name what there is. */
import {describe, expect, test} from 'vitest';
import {createProgram} from '../../src/cli/program.js';
import {findLinks, findTable} from './markdown.js';
import {listFiles, readText} from './source-files.js';

const GUIDES = listFiles('docs').filter(path => path.endsWith('.md'));

/** All that stands between backticks. */
const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');

/** The keys of a type in options.ts. */
const keysOf = (type: string): string[] => {
	const [, body = ''] = new RegExp(`export type ${type} = \\{([\\s\\S]*?)\\n\\};`).exec(readText('src/options.ts')) ?? [];
	return [...body.matchAll(/^\treadonly (\w+)\??:/gm)].map(([, key]) => key ?? '');
};

test('every guide is named in the README, and leads back to it or to another guide', () => {
	const named = findLinks(readText('README.md')).filter(link => link.startsWith('docs/'));
	expect([...new Set(named)].sort()).toEqual(GUIDES);
	expect(GUIDES.filter(path => findLinks(readText(path)).length === 0)).toEqual([]);
});

test('the kinds of a failed task are all told, each once', () => {
	const [, union = ''] = /export type TaskErrorKind =([\s\S]*?);/.exec(readText('src/errors.ts')) ?? [];
	const kinds = [...union.matchAll(/'([^']+)'/g)].map(([, kind]) => kind ?? '');
	expect(kinds).not.toEqual([]);
	const told = findTable(readText('docs/when-tasks-fail.md'), '`kind`').flatMap(([names = '']) => codeIn(names));
	expect(told.sort()).toEqual(kinds.sort());
});

const PYTHON = 'docs/coming-from-python.md';
const SUBMITIT = 'docs/coming-from-submitit.md';

describe('what somebody knows from elsewhere is translated', () => {
	test.each([
		[
			'the parameters of queue_map_reduce.Pool',
			PYTHON,
			[
				...['queue_name', 'python_path', 'polling_interval_qstat', 'work_dir', 'keep_work_dir', 'max_num_resubmissions'],
				...['error_state_indicator', 'num_chunks', 'qsub_path', 'qstat_path', 'qdel_path', 'logger'],
			],
		],
		[
			'the parameters of the pools of pypoolparty',
			PYTHON,
			[
				...['polling_interval', 'verbose', 'chunksize', 'sbatch_path', 'squeue_path', 'scancel_path', 'clusters', 'slurm_call_timeout'],
				...['num_simultaneously_running_tasks', 'submit_func', 'status_func', 'delete_func'],
			],
		],
		[
			'the parameters and methods of multiprocessing.Pool',
			PYTHON,
			[
				...['processes', 'initializer', 'initargs', 'maxtasksperchild', 'context', 'map', 'starmap', 'imap', 'imap_unordered', 'map_async'],
				...['starmap_async', 'apply', 'apply_async', 'callback', 'error_callback', 'close', 'join', 'terminate', 'get', 'wait', 'ready'],
			],
		],
		[
			'the generic parameters of submitit',
			SUBMITIT,
			['name', 'timeout_min', 'mem_gb', 'nodes', 'cpus_per_task', 'gpus_per_node', 'tasks_per_node'],
		],
		[
			'the methods of an executor and of a job of submitit',
			SUBMITIT,
			[
				...[
					'submit',
					'map_array',
					'submit_array',
					'batch',
					'update_parameters',
					'result',
					'results',
					'exception',
					'wait',
					'done',
					'cancel',
				],
				...['cancel_at_deletion', 'stdout', 'stderr', 'submission', 'state', 'get_info', 'job_id', 'paths', 'task_id', 'awaitable'],
			],
		],
	])('%s', (_title, paper, names) => {
		const known = tablesOf(paper).flatMap(([theirs = '']) => codeIn(theirs).flatMap(code => code.match(/\w+/g) ?? []));
		expect(names.filter(name => !known.includes(name))).toEqual([]);
	});

	test.each([PYTHON, SUBMITIT])('%s: the options on our side are options', paper => {
		const ours = tablesOf(paper).flatMap(([, here = '']) => codeIn(here));
		const names = ours.flatMap(code => [...code.matchAll(/(?<![\w'=])(\w+): /g)].map(([, name]) => name ?? ''));
		expect(names.length).toBeGreaterThan(5);
		const options = [...keysOf('PoolOptions'), ...keysOf('Resources')];
		expect(names.filter(name => !options.includes(name))).toEqual([]);
	});
});

/** The rows of all tables of a guide. */
const tablesOf = (paper: string): string[][] => {
	const text = readText(paper);
	const headings = [...text.matchAll(/^\| (\w+) \|.*\n\|[ :|-]+\|$/gm)];
	return headings.flatMap(({index, 1: heading = ''}) => findTable(text.slice(index), heading));
};

test('every command and flag of qmr that a guide names is there', () => {
	const commands = new Map(
		createProgram().commands.map(command => [command.name(), command.options.map(({long, short}) => [long, short])]),
	);
	const unknown = GUIDES.flatMap(path =>
		[...readText(path).matchAll(/\bqmr ([a-z]+)((?: [^`\n]*)?)/g)].flatMap(([, name = '', rest = '']) => {
			const flags = commands.get(name)?.flat();
			if (flags === undefined) return [`${path}: qmr ${name}`];
			return (rest.match(/(?<= )-{1,2}[a-z][a-z-]*/g) ?? [])
				.filter(flag => !flags.includes(flag))
				.map(flag => `${path}: qmr ${name} ${flag}`);
		}),
	);
	expect(unknown).toEqual([]);
});
