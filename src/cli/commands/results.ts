/** `qmr results`: what is finished, as CSV or JSON. */
import {Command, Option} from 'commander';
import {EXIT_FAILED, UsageError} from '../command-error.js';
import {findWorkDir, rootOption} from '../find-work-dir.js';
import type {Format} from '../look/write-results.js';
import {say} from '../terminal.js';

export const resultsCommand = (): Command =>
	new Command('results')
		.summary('what is finished, as CSV or JSON')
		.description(
			'Writes the results that are there, in task order, and says on stderr which are missing. It may be called again while the map runs, and long after it has ended. Ends with 1 when any result is missing, else with 0.',
		)
		.argument('[dir]', 'the work_dir, or its session or the beginning of that (default: the newest)')
		.addOption(rootOption())
		.addOption(
			new Option(
				'-f, --format <format>',
				'csv; json, an array; or jsonl, an object a line (default: by the name of the file, else jsonl)',
			).choices(['csv', 'json', 'jsonl']),
		)
		.option('--json', 'the same as --format json')
		.option('--input', 'write the tasks, too')
		.option('-o, --output <file>', 'write to this file, which must not exist; it appears when it is whole')
		.option('--force', 'replace that file')
		.addHelpText('after', EXAMPLES)
		.action(async (dir: string | undefined, {root, format, json = false, input = false, output, force = false}: Flags) => {
			const {formatMissing, writeResults} = await import('../look/write-results.js');
			const {groupProblems} = await import('../look/group-problems.js');
			const {openOutput} = await import('../run/open-output.js');
			const {unlessRemoved} = await import('../look/unless-removed.js');
			if (json && format !== undefined && format !== 'json') throw new UsageError(`Expected --json or --format ${format}, got both.`);
			const workDir = findWorkDir(dir, root);
			const out = await openOutput(output, {force});
			try {
				const request = {workDir, format: json ? 'json' : (format ?? formatOf(output)), hasTasks: input, write: out.write} as const;
				const written = await unlessRemoved(workDir, () => writeResults(request));
				await out.finish();
				const missing = formatMissing(written);
				const to = output === undefined ? '' : ` to ${output}`;
				say(`${written.numWritten} of ${written.numTasks} results written${to}${missing === undefined ? '.' : `; ${missing}.`}`);
				for (const problem of groupProblems(written.problems)) say(`problem: ${problem}`);
				if (missing !== undefined) process.exitCode = EXIT_FAILED;
			} finally {
				await out.discard();
			}
		});

type Flags = {
	readonly root?: string;
	readonly format?: Format;
	readonly json?: boolean;
	readonly input?: boolean;
	readonly output?: string;
	readonly force?: boolean;
};

const formatOf = (file: string | undefined): Format => {
	if (file?.endsWith('.csv')) return 'csv';
	return file?.endsWith('.json') ? 'json' : 'jsonl';
};

const EXAMPLES = `
Examples:
  qmr results --format csv --input > table.csv
  qmr results 2026-11-21T00-20 -o results.jsonl
  qmr results -o results.csv --force      again, when more is finished

A line of jsonl is {"itask": 3, "task": …, "result": …}, in task order. What JSON can't hold becomes an object with one key: {"$bigint": "12"}, {"$number": "NaN"}, {"$undefined": true},
{"$date": "…"}, {"$map": [[key, value]]}, {"$set": []}, {"$Float64Array": []}, {"$bytes": "base64"}, {"$error": {}}, {"$regexp": "/a/"}, {"$circular": "path"}.
CSV has the columns itask, then those of the tasks (with --input), then those of the results: one for each key of an object, \`a.b\` for a key of an object in it, JSON for what is
deeper; \`task\` and \`result\` for what is no object. A result's column that is called like one of a task is \`result.NAME\`.
`;
