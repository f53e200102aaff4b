/** `qmr clean`: removes work_dirs. */
import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {Command} from 'commander';
import {MANIFEST} from '../../layout.js';
import {CommandError, EXIT_USAGE, UsageError} from '../command-error.js';
import {defaultRoot, findWorkDir, listWorkDirs, rootOption} from '../find-work-dir.js';
import {addPoolFlags, readPoolFlags} from '../pool-flags.js';
import {print, printJson, say} from '../terminal.js';
import {OF_SCHEDULERS} from './cancel.js';

type Given = {
	readonly root?: string;
	readonly finished?: boolean;
	readonly olderThan?: string;
	readonly cancel?: boolean;
	readonly force?: boolean;
	readonly yes?: boolean;
	readonly dryRun?: boolean;
	readonly json?: boolean;
};

export const cleanCommand = (): Command => {
	const command = new Command('clean')
		.summary('remove work_dirs, with the results in them')
		.description(
			'Removes work_dirs with all that is in them: first their queue-jobs, then the directory. Asks before. Nothing is removed that is not a work_dir of yours, holds files that no map has made, is being worked in, or is not finished, unless a flag says so; symbolic links are removed, not followed.',
		)
		.argument('[dir...]', 'work_dirs, or their sessions or the beginnings of those; with --finished directories of work_dirs')
		.addOption(rootOption())
		.option('--finished', 'all work_dirs of these directories whose maps have ended (default: of --root)')
		.option('--older-than <time>', 'with --finished: only those that ended so long ago, as 7d, 36h or 90m')
		.option('--cancel', 'also of maps that run, or were left: they are cancelled first')
		.option('--force', 'also of maps that are not finished, and with files that no map has made')
		.option('-y, --yes', 'do not ask')
		.option('-n, --dry-run', 'only list what would be removed')
		.option('--json', 'print JSON')
		.addHelpText('after', EXAMPLES);
	addPoolFlags(command, {only: OF_SCHEDULERS});
	return command.action(async (dirs: readonly string[]) => {
		const given = command.opts<Given>();
		const {examineForCleaning} = await import('../../later/clean-map.js');
		const {cancel = false, force = false} = given;
		const paths = await findPaths(dirs, given);
		const examined = await Promise.all(paths.map(path => examineForCleaning(path, {cancel, force})));
		const refused = examined.filter(each => each.kind === 'refused');
		const removable = examined.filter(each => each.kind === 'removable').filter(await isMeant(given));
		if (given.finished !== true && refused.length > 0)
			throw new CommandError(refused.map(({workDir, reason}) => `${workDir} is not removed: ${reason}.`).join('\n'), EXIT_USAGE);
		const {removeWorkDirs} = await import('../act/remove-work-dirs.js');
		const {mergeOptions} = await import('../../check-options.js');
		const done = await removeWorkDirs(removable, {
			options: mergeOptions(readPoolFlags(command)),
			isDryRun: given.dryRun ?? false,
			isSure: given.yes ?? false,
			tell: say,
		});
		if (given.json) printJson({...done, kept: refused.map(({workDir, reason}) => ({workDir, reason}))});
		else {
			for (const {workDir} of done.removed) print(`${given.dryRun ? 'would be removed' : 'removed'}: ${workDir}`);
			for (const {workDir, reason} of refused) say(`kept: ${workDir}: ${reason}`);
			if (done.removed.length === 0 && done.failed.length === 0) say('Nothing was removed.');
		}
		if (done.failed.length > 0)
			throw new CommandError(done.failed.map(({workDir, reason}) => `${workDir} could not be removed: ${reason}`).join('\n'));
	});
};

const findPaths = async (dirs: readonly string[], {root, finished = false, olderThan}: Given): Promise<string[]> => {
	if (!finished) {
		if (dirs.length === 0)
			throw new UsageError('Expected the work_dirs that are to be removed, got none. To remove all that have ended: --finished.');
		if (olderThan !== undefined) throw new UsageError('Expected --older-than only with --finished.');
		// What is there under this name is meant, whatever it is: why it is not removed is told.
		return [...new Set(dirs.map(dir => (dir.includes('/') || existsSync(dir) || dir === '' ? resolveGiven(dir) : findWorkDir(dir, root))))];
	}
	const roots = dirs.length === 0 ? [root ?? defaultRoot()] : dirs;
	const missing = roots.find(each => !existsSync(each));
	if (missing !== undefined) throw new UsageError(`Expected a directory of work_dirs, got ${JSON.stringify(missing)}, which is not there.`);
	const workDir = dirs.find(each => existsSync(join(each, MANIFEST)));
	if (workDir !== undefined)
		throw new UsageError(
			`Expected with --finished a directory of work_dirs, got ${JSON.stringify(workDir)}, which is a work_dir. To remove this one leave --finished out.`,
		);
	return roots.flatMap(each => listWorkDirs(each).map(name => join(resolve(each), name)));
};

const resolveGiven = (dir: string): string => {
	// Of which `resolve` would make the current directory.
	if (dir === '') throw new UsageError('Expected a work_dir, got an empty text.');
	return resolve(dir);
};

const isMeant = async ({finished = false, olderThan}: Given): Promise<(map: {isFinished: boolean; lastAt: Date}) => boolean> => {
	if (!finished) return () => true;
	if (olderThan === undefined) return ({isFinished}) => isFinished;
	const {toSeconds} = await import('../../resources.js');
	const seconds = toSeconds(olderThan);
	if (seconds === undefined) throw new UsageError(`Expected --older-than to be as 7d, 36h or 90m, got ${JSON.stringify(olderThan)}.`);
	const beforeMs = Date.now() - 1000 * seconds;
	return ({isFinished, lastAt}) => isFinished && lastAt.getTime() < beforeMs;
};

const EXAMPLES = `
Examples:
  qmr clean .qmr/2026-11-21T00-20-07_a10cda
  qmr clean 2026-11-21T00-20 --cancel --yes
  qmr clean --finished --older-than 7d --dry-run
  qmr clean --finished --older-than 7d --yes /scratch/ada/maps
`;
