/** `qmr collect`: gathers the files that tasks have written. */
import {Command} from 'commander';
import type {FoundFiles} from '../../later/collect-files.js';
import {CommandError, EXIT_FAILED, UsageError} from '../command-error.js';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import {formatItasks} from '../look/format-errors.js';
import {print, printJson, say} from '../terminal.js';

type Given = {
	readonly root?: string;
	readonly concat?: boolean;
	readonly header?: string;
	readonly check?: boolean;
	readonly force?: boolean;
	readonly json?: boolean;
};

export const collectCommand = (): Command => {
	const command = new Command('collect')
		.summary('gather the files that tasks have written')
		.description(
			'Copies the files that tasks have put into their directory (`taskContext().taskDir`) into one directory, under distinct names: `007-rows.csv`. Of each task those of the attempt that counts, also when it was computed again. Called again it adds what has come since. Ends with 1 when a task has no such file.',
		)
		.argument('<dir>', 'the work_dir, or its session or the beginning of that')
		.argument('<pattern>', "of files within a task's directory, as 'rows.csv' or 'out/*.npy'; in quotes, for it is not for your shell")
		.argument('[out]', 'the directory that they are copied to; with --concat the file')
		.addOption(rootOption())
		.option('--concat', 'join text files in task order into one file')
		.option('--header <n>', 'with --concat: the first n lines are a header, which is written once', '0')
		.option('--check', 'only say which tasks have no such file')
		.option('--force', 'replace files that are there')
		.option('--json', 'print JSON')
		.addHelpText('after', EXAMPLES);
	return command.action(async (dir: string, pattern: string, out: string | undefined) => {
		const given = command.opts<Given>();
		const {root, concat = false, check = false, force = false, json = false} = given;
		const header = toHeader(given);
		if (check !== (out === undefined))
			throw new UsageError(
				check ? 'Expected no place to copy to with --check: nothing is copied.' : 'Expected the directory to copy to, got none.',
			);
		const {copyTaskFiles, findTaskFiles, joinTaskFiles} = await import('../../later/collect-files.js');
		const found = await findTaskFiles(findWorkDir(dir, root), pattern);
		const {files, lacking, unfinished} = found;
		const report = {files: files.length, lacking, unfinished, out: out ?? null};
		const isWhole = lacking.length + unfinished.length === 0;
		if (!isWhole) process.exitCode = EXIT_FAILED;
		if (out === undefined) {
			if (json) return printJson(report);
			for (const line of describe(found, pattern)) print(line);
			if (isWhole) print(`Every task has a file ${pattern}.`);
			return;
		}
		if (files.length === 0 && !json)
			throw new CommandError(
				`No task has a file ${pattern} in its directory, so nothing was written. ${describe(found, pattern).join(' ')}`,
			);
		if (concat && files.length > 0) {
			const {otherHeaders} = await joinTaskFiles(found, out, {header, force});
			if (otherHeaders.length > 0)
				say(
					`The first ${header === 1 ? 'line' : `${header} lines`} of ${formatItasks(otherHeaders.map(({itask}) => itask))} were left out, and are not those of task ${files[0]?.itask}.`,
				);
			if (!json) print(`${files.length} files are joined in ${out}`);
		} else if (files.length > 0) {
			const {copied, same} = await copyTaskFiles(found, out, {force});
			if (!json) print(`${copied} files are copied to ${out}${same === 0 ? '' : `, ${same} were there already`}`);
		}
		if (json) printJson(report);
		else for (const line of describe(found, pattern)) say(line);
	});
};

const toHeader = ({header = '0', concat = false}: Given): number => {
	if (!/^\d{1,9}$/.test(header)) throw new UsageError(`Expected --header to be a number of lines, got ${JSON.stringify(header)}.`);
	if (Number(header) > 0 && !concat) throw new UsageError('Expected --header only with --concat.');
	return Number(header);
};

const describe = ({lacking, unfinished}: FoundFiles, pattern: string): string[] => [
	...(lacking.length === 0 ? [] : [`No file ${pattern}: ${formatItasks(lacking)}.`]),
	...(unfinished.length === 0 ? [] : [`No result (yet): ${formatItasks(unfinished)}.`]),
];

const EXAMPLES = `
Examples:
  qmr collect .qmr/2026-11-21T00-20-07_a10cda 'rows.csv' rows/
  qmr collect 2026-11-21T00-20 'rows.csv' all.csv --concat --header 1
  qmr collect 2026-11-21T00-20 'figures/*.png' figures/
  qmr collect 2026-11-21T00-20 'rows.csv' --check
`;
