/** `qmr resume`: goes on with a map whose process has ended or has left it. */
import {Command} from 'commander';
import {refuseToLeaveLocal} from '../act/refuse-to-leave-local.js';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import type {FlagName} from '../pool-flag-texts.js';
import {addPoolFlags, readPoolFlags} from '../pool-flags.js';

export const resumeCommand = (): Command => {
	const command = new Command('resume')
		.summary('go on with a map whose process has ended')
		.description(
			'Goes on with a map whose process was killed, was ended, or has left it: what is finished is read, queue-jobs that live are waited for, and only the rest is submitted. The work_dir is kept, unless --no-keep-work-dir says otherwise. Ends with 0 when every task has a result, else with 1.',
		)
		.argument('<dir>', 'the work_dir, or its session or the beginning of that')
		.addOption(rootOption())
		.option('--detach', 'leave the map as soon as all is submitted')
		.option('--json', 'print JSON')
		.addHelpText('after', EXAMPLES);
	addPoolFlags(command, {without: FIXED});
	return command.action(async (dir: string) => {
		const {root, detach = false, json = false} = command.opts<{root?: string; detach?: boolean; json?: boolean}>();
		const workDir = findWorkDir(dir, root);
		if (detach) await refuseToLeaveLocal(workDir);
		const {Pool} = await import('../../pool.js');
		const {followRun} = await import('../act/follow-run.js');
		const run = await Pool.resume(workDir, {keepWorkDir: true, progress: true, ...readPoolFlags(command)});
		await followRun(run, {workDir, isDetaching: detach, isJson: json});
	});
};

/** What defines a map, or is for `qmr` to say. */
const FIXED: readonly FlagName[] = [
	...(['engine', 'env', 'message', 'nodePath', 'numChunks', 'chunkSize', 'config', 'gitDiff', 'schedule', 'numJobs'] as const),
	...(['resume', 'seed', 'shared', 'tags', 'workDir', 'workRoot', 'handleSignals'] as const),
];

const EXAMPLES = `
Examples:
  qmr resume .qmr/2026-11-21T00-20-07_a10cda
  qmr resume 2026-11-21T00-20 --resources memory=16G      the rest with more memory
  qmr resume 2026-11-21T00-20 --detach
`;
