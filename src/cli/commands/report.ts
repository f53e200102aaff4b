/** `qmr report`: a map as one HTML file. */
import {resolve} from 'node:path';
import {Command, Option} from 'commander';
import {UsageError} from '../command-error.js';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import {toPlainLine} from '../plain-text.js';
import {print, printJson, say} from '../terminal.js';

export const reportCommand = (): Command =>
	new Command('report')
		.summary('write what happened in a map as one HTML file')
		.description(
			'Writes what happened in a map as one HTML file, which needs no network: a timeline of its queue-jobs over the hosts, failures with what they wrote, ' +
				'slowest tasks, what was asked for and used, and advice. Works also while the map runs. Prints the path of the file.',
		)
		.argument('[dir]', 'the work_dir, or its session or the beginning of that (default: the newest)')
		.option('-o, --output <file>', 'where to write it; - for stdout (default: report-<session>.html here)')
		.option('--force', 'overwrite a file that is no report')
		.addOption(new Option('--json', 'print the figures and the advice as JSON, and write no file').conflicts(['output', 'force']))
		.addOption(rootOption())
		.addHelpText('after', EXAMPLES)
		.action(writeReport);

const EXAMPLES = `
Examples:
  qmr report                                  the newest map in ./.qmr
  qmr report .qmr/2026-11-21T00-20-07_a10cda -o report.html
  qmr report 2026-11-21T00-20 --json          its figures and advice, for programs
`;

type Flags = {readonly output?: string; readonly force?: boolean; readonly json?: boolean; readonly root?: string};

const writeReport = async (argument: string | undefined, {output, force = false, json = false, root}: Flags): Promise<void> => {
	const workDir = findWorkDir(argument, root);
	const {openWorkDir} = await import('../../read/open-work-dir.js');
	const {makeReport} = await import('../../report/make-report.js');
	const {requireWhole} = await import('../act/require-whole.js');
	const {unlessRemoved} = await import('../look/unless-removed.js');
	const {data, advice, html} = await unlessRemoved(workDir, async () => {
		const map = await openWorkDir(workDir);
		requireWhole(workDir, map.manifest);
		return makeReport(map);
	});
	if (json) return printJson({...data, advice});
	if (output === '-') return print(html);
	const path = resolve(output ?? `report-${data.map.session}.html`);
	const {saveReport} = await import('../../report/save-report.js');
	const saved = await saveReport(path, html, {overwrites: force}).catch((error: Error) => {
		throw new UsageError(`The report can't be written to ${path}: ${error.message}. Choose another file by -o.`);
	});
	if (saved === 'is-no-report') {
		throw new UsageError(
			`Expected ${path} to be free, or an earlier report, got another file. Choose another by -o, or overwrite it by --force.`,
		);
	}
	for (const {weight, title, figure} of advice) if (weight === 'important') say(toPlainLine(`${title}: ${figure}`));
	print(path);
};
