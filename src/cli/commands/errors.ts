/** `qmr errors`: why tasks failed, equal failures told once. */
import {Command} from 'commander';
import {EXIT_FAILED} from '../command-error.js';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import {coloursFor, print, printJson, say} from '../terminal.js';

export const errorsCommand = (): Command =>
	new Command('errors')
		.summary('why tasks failed, equal failures told once')
		.description(
			'Tells why tasks of a map have no result: every failure once, with all tasks that failed like that, where, one of them in full, and what to do. Ends with 1 when there is any, else with 0.',
		)
		.argument('[dir]', 'the work_dir, or its session or the beginning of that (default: the newest)')
		.addOption(rootOption())
		.option('--kind <kind>', 'only failures of this kind, as out-of-memory')
		.option('--json', 'print JSON')
		.addHelpText('after', EXAMPLES)
		.action(async (dir: string | undefined, {root, kind, json = false}: {root?: string; kind?: string; json?: boolean}) => {
			const {findErrors, toErrorsJson} = await import('../look/find-errors.js');
			const {formatErrors, formatGivenUp, formatNone} = await import('../look/tell-errors.js');
			const {groupProblems} = await import('../look/group-problems.js');
			const {unlessRemoved} = await import('../look/unless-removed.js');
			const workDir = findWorkDir(dir, root);
			const found = await unlessRemoved(workDir, () => findErrors(workDir, kind));
			if (json) printJson(toErrorsJson(found));
			else if (found.groups.length > 0) print(formatErrors(found, coloursFor(process.stdout)));
			else {
				say(formatNone(found));
				if (found.givenUp.length > 0) print(formatGivenUp(found));
				for (const problem of groupProblems(found.problems)) say(`problem: ${problem}`);
			}
			if (found.groups.length > 0) process.exitCode = EXIT_FAILED;
		});

const EXAMPLES = `
Examples:
  qmr errors                    of the newest map in ./.qmr
  qmr errors 2026-11-21T00-20 --kind out-of-memory
  qmr errors --json | jq -r '.failures[].reason'
`;
