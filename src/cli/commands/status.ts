/** `qmr status`: how one map is. */
import {Command} from 'commander';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import {coloursFor, print, printJson} from '../terminal.js';

export const statusCommand = (): Command =>
	new Command('status')
		.summary('how one map is')
		.description(
			'Tells how a map is: how many tasks are done, what its queue-jobs do and where, how fast it goes, why tasks failed, and whether anybody works in it. It ends with 0 whatever became of the tasks.',
		)
		.argument('[dir]', 'the work_dir, or its session or the beginning of that (default: the newest)')
		.addOption(rootOption())
		.option('--chunks', 'a line for each chunk, too: its queue-job, state, attempts, host, time')
		.option('--queue', 'ask the scheduler, too, what the queue-jobs wait for (it changes nothing there)')
		.option('-w, --watch', 'show it anew every 2 s until the map ends; Ctrl-C ends only the display')
		.option('--json', 'print JSON; with --watch a line of it for every change')
		.addHelpText('after', EXAMPLES)
		.action(async (dir: string | undefined, {root, chunks = false, queue: isQueueAsked = false, watch = false, json = false}: Flags) => {
			const {lookAtMap} = await import('../look/look-at-map.js');
			const {unlessRemoved} = await import('../look/unless-removed.js');
			const {formatStatus} = await import('../look/format-status.js');
			const {toStatusJson} = await import('../look/status-json.js');
			const workDir = findWorkDir(dir, root);
			const look = () =>
				unlessRemoved(workDir, async () => {
					const view = await lookAtMap(workDir);
					const queue = isQueueAsked ? await (await import('../look/ask-scheduler.js')).askScheduler(view.map) : undefined;
					return {view, parts: {chunks, queue}};
				});
			if (watch) {
				const {watchMap} = await import('../look/watch-map.js');
				await watchMap({workDir, look, json});
				return;
			}
			const {view, parts} = await look();
			if (json) printJson(toStatusJson(view, parts));
			else print(formatStatus(view, parts, coloursFor(process.stdout)));
		});

type Flags = {
	readonly root?: string;
	readonly chunks?: boolean;
	readonly queue?: boolean;
	readonly watch?: boolean;
	readonly json?: boolean;
};

const EXAMPLES = `
Examples:
  qmr status                    the newest map in ./.qmr
  qmr status 2026-11-21 --watch
  qmr status /scratch/me/run --chunks --queue
  qmr status --json | jq .tasks
`;
