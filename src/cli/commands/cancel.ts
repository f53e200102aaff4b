/** `qmr cancel`: ends a map, and removes its queue-jobs. */
import {Command} from 'commander';
import {shellWord} from '../../quote-for-shell.js';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import type {FlagName} from '../pool-flag-texts.js';
import {addPoolFlags, readPoolFlags} from '../pool-flags.js';
import {print, printJson, say} from '../terminal.js';

export const cancelCommand = (): Command => {
	const command = new Command('cancel')
		.summary('end a map, and remove its queue-jobs')
		.description(
			'Ends a map and its reruns: a process that works there is asked to end its map; where nobody does, the queue-jobs are removed from here, those whose name, number and owner are those of the map, and no others. What is finished is kept, and qmr resume goes on with the rest. Done twice it changes nothing.',
		)
		.argument('<dir>', 'the work_dir, or its session or the beginning of that')
		.addOption(rootOption())
		.option('--json', 'print JSON')
		.addHelpText('after', EXAMPLES);
	addPoolFlags(command, {only: OF_SCHEDULERS});
	return command.action(async (dir: string) => {
		const {root, json = false} = command.opts<{root?: string; json?: boolean}>();
		const workDir = findWorkDir(dir, root);
		const {cancelMap} = await import('../../later/cancel-map.js');
		const {createEngineCache} = await import('../../engine-cache.js');
		const {mergeOptions} = await import('../../check-options.js');
		const options = mergeOptions(readPoolFlags(command));
		const maps = await cancelMap({workDir, options, chooseEngine: createEngineCache(), tell: say});
		if (json) return printJson(maps);
		for (const {workDir: path, how, removed} of maps) {
			const numJobs = `${removed.length} ${removed.length === 1 ? 'queue-job was' : 'queue-jobs were'}`;
			if (how === 'had-ended') print(`${path} had ended: nothing was to be removed.`);
			else print(`${path} was cancelled; ${numJobs} in the queue. To go on: qmr resume ${shellWord(path)}`);
		}
	});
};

/** They may be elsewhere than they were. */
export const OF_SCHEDULERS: readonly FlagName[] = [
	...(['qsubPath', 'qstatPath', 'qdelPath', 'sbatchPath', 'squeuePath', 'scancelPath', 'programTimeoutMs'] as const),
];

const EXAMPLES = `
Examples:
  qmr cancel .qmr/2026-11-21T00-20-07_a10cda
  qmr cancel 2026-11-21T00-20
  qmr cancel 2026-11-21T00-20 --json | jq '.[].removed'
`;
