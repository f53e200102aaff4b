/** `qmr rerun`: computes tasks of a map again. */
import {Command, Option} from 'commander';
import {shellWord} from '../../quote-for-shell.js';
import {parseItasks} from '../act/parse-itasks.js';
import {refuseToLeaveLocal} from '../act/refuse-to-leave-local.js';
import {UsageError} from '../command-error.js';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import type {FlagName} from '../pool-flag-texts.js';
import {addPoolFlags, readPoolFlags} from '../pool-flags.js';
import {say} from '../terminal.js';

export const rerunCommand = (): Command => {
	const command = new Command('rerun')
		.summary('compute tasks of a map again')
		.description(
			'Computes tasks of a map again, those that have no result or the given ones, with everything as it was: tasks, seed, shared value, options, directory, environment. Only the module of the function is as it is now. What they bring is kept within the work_dir and is seen by all other commands. Ends with 0 when every task of the map has a result then and none has failed now, else with 1.',
		)
		.argument('<dir>', 'the work_dir, or its session or the beginning of that')
		.argument('[itask...]', 'numbers of tasks, as 3 or 3,7,9-41 (default: all that have no result)')
		.addOption(rootOption())
		.option('--all', 'run the whole map again, as a new one beside the first')
		.option('--local', 'compute one task here, in the foreground, and print its result; nothing is written into the work_dir')
		.addOption(new Option('--inspect-brk [address]', 'with --local: wait for a debugger, and stop before the function is called'))
		.option('--detach', 'leave the map as soon as all is submitted')
		.option('--json', 'print JSON; with --local the outcome of the task')
		.addHelpText('after', EXAMPLES);
	addPoolFlags(command, {without: FIXED});
	return command.action(async (dir: string, words: readonly string[]) => {
		const given = command.opts<Given>();
		const {root, all = false, local = false, detach = false, json = false} = given;
		const itasks = words.length === 0 ? undefined : parseItasks(words);
		refuseTogether(given, itasks);
		const workDir = findWorkDir(dir, root);
		const options = readPoolFlags(command);
		if (local) {
			const {printTaskHere} = await import('../act/print-task-here.js');
			const address = given.inspectBrk;
			const nodeArguments = address === undefined ? [] : [`--inspect-brk${address === true ? '' : `=${address}`}`];
			return printTaskHere({workDir, itask: itasks?.[0] as number, nodeArguments, nodePath: options.nodePath}, json);
		}
		if (detach && options.engine === undefined) await refuseToLeaveLocal(workDir);
		const {Pool} = await import('../../pool.js');
		const {followRun} = await import('../act/follow-run.js');
		const {wholeOf} = await import('../../later/claim-map.js');
		const {findMap} = await import('../../find-map.js');
		const first = wholeOf((await findMap(workDir)).manifest) ?? workDir;
		const own = {progress: true, ...(all ? {all, keepWorkDir: true} : {}), ...(itasks === undefined ? {} : {itasks})};
		const run = await Pool.rerun(workDir, {...own, ...options});
		if (run.workDir === '') say(`Every task of ${shellWord(first)} has a result: nothing is computed. To compute it all again: --all`);
		await followRun(run, {workDir: all ? run.workDir : first, isDetaching: detach, isJson: json});
	});
};

type Given = {
	readonly root?: string;
	readonly all?: boolean;
	readonly local?: boolean;
	readonly inspectBrk?: string | true;
	readonly detach?: boolean;
	readonly json?: boolean;
};

const refuseTogether = ({all = false, local = false, detach = false, inspectBrk}: Given, itasks: readonly number[] | undefined): void => {
	if (all && itasks !== undefined) throw new UsageError('Expected --all or numbers of tasks, got both. Leave one of them out.');
	if (inspectBrk !== undefined && !local)
		throw new UsageError('Expected --inspect-brk only with --local: a queue-job would wait for ever.');
	if (local && (all || detach))
		throw new UsageError(`Expected --local without ${all ? '--all' : '--detach'}: it computes one task, here and now.`);
	if (local && itasks?.length !== 1)
		throw new UsageError(
			`Expected the number of one task with --local, got ${itasks === undefined ? 'none' : `${itasks.length} of them`}.`,
		);
};

/** What defines a map, or is for `qmr` to say. */
const FIXED: readonly FlagName[] = ['config', 'gitDiff', 'resume', 'seed', 'shared', 'handleSignals'];

const EXAMPLES = `
Examples:
  qmr rerun .qmr/2026-11-21T00-20-07_a10cda                all that failed
  qmr rerun 2026-11-21T00-20 3,7,9-41 --resources memory=16G
  qmr rerun 2026-11-21T00-20 7 --local                     one task here, to see how it fails
  qmr rerun 2026-11-21T00-20 7 --local --inspect-brk       the same under a debugger, as chrome://inspect
  qmr rerun 2026-11-21T00-20 --all                         the experiment once more, beside the first
`;
