/** `qmr show`: all of one task, or of the map itself. */
import {Command} from 'commander';
import {UsageError} from '../command-error.js';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import {coloursFor, print, printJson} from '../terminal.js';

export const showCommand = (): Command => {
	const command = new Command('show')
		.summary('all of one task: why it failed or waits, input, result, output')
		.description(
			'Tells all of one task in words: why it failed or waits, its input and result, what it has written, its attempts, and how to compute it again. Without a task: what the map is, as its run.json has it.',
		)
		.argument('[dir]', 'the work_dir, or its session or the beginning of that (default: the newest)')
		.argument('[itask]', 'the index of the task, from 0')
		.addOption(rootOption())
		.option('--queue', 'ask the scheduler, too, what its queue-job waits for (it changes nothing there)')
		.option('--json', 'print JSON');
	for (const [part, what] of PARTS) command.option(`--${part}`, what);
	return command
		.addHelpText('after', EXAMPLES)
		.action(async (dir: string | undefined, itask: string | undefined, {root, queue = false, json = false, ...asked}: Flags) => {
			const workDir = findWorkDir(dir, root);
			const {unlessRemoved} = await import('../look/unless-removed.js');
			const parts = PARTS.flatMap(([part]) => (asked[part] ? [part] : []));
			if (parts.length > 1 || (json && parts.length > 0))
				throw new UsageError(`Expected one of --${parts.join(', --')}${json ? ', --json' : ''}, got several.`);
			if (itask === undefined) {
				if (parts[0] !== undefined)
					throw new UsageError(`Expected the index of a task with --${parts[0]}, as: qmr show DIR 3 --${parts[0]}`);
				const {openWorkDir} = await import('../../read/open-work-dir.js');
				const {requireWhole} = await import('../act/require-whole.js');
				const {formatManifest} = await import('../look/format-manifest.js');
				const {manifest} = await unlessRemoved(workDir, () => openWorkDir(workDir));
				if (json) printJson(manifest);
				else print(formatManifest(workDir, requireWhole(workDir, manifest), coloursFor(process.stdout)));
				return;
			}
			if (!/^\d+$/.test(itask)) throw new UsageError(`Expected the index of a task, a number from 0 up, got ${JSON.stringify(itask)}.`);
			const {lookAtTask} = await import('../look/look-at-task.js');
			const view = await unlessRemoved(workDir, () => lookAtTask(workDir, Number(itask), {queue}));
			if (parts[0] !== undefined) {
				const {printPart} = await import('../look/print-part.js');
				await printPart(view, parts[0]);
			} else if (json) printJson((await import('../look/task-json.js')).toTaskJson(view));
			else print((await import('../look/format-task.js')).formatTask(view, coloursFor(process.stdout)));
		});
};

export type Part = 'input' | 'result' | 'stdout' | 'stderr' | 'error';

const PARTS: readonly (readonly [Part, string])[] = [
	['input', 'print the task and nothing else: text as it is, all else as JSON'],
	['result', 'print its result, likewise'],
	['stdout', 'print what it has written to stdout'],
	['stderr', 'print what it has written to stderr'],
	['error', 'print what was thrown, with its stack and all causes'],
];

type Flags = {readonly root?: string; readonly queue?: boolean; readonly json?: boolean} & {readonly [Name in Part]?: boolean};

const EXAMPLES = `
Examples:
  qmr show                              the newest map in ./.qmr
  qmr show 2026-11-21T00-20 13          its task 13
  qmr show .qmr/2026-11-21T00-20-07_a10cda 13 --stderr | less
  qmr show 2026-11-21T00-20 13 --result | jq .energy

What JSON can't hold is written as in qmr results --help.
`;
