/** `qmr map FILE#EXPORT`: a function over lines of JSON. */
import {Command} from 'commander';
import {addPoolFlags, readPoolFlags} from '../pool-flags.js';
import type {MapFlags} from '../run/map-action.js';
import {addStreamFlags} from '../run/stream-flags.js';

export const mapCommand = (): Command => {
	const command = new Command('map')
		.summary('call a function for each line of JSON')
		.description(
			'Calls an exported function for each line of the input, which is a JSON value. Each line of the output is {index, task, value}, or {index, task, error} for a task that has failed, written as soon as it is known.',
		)
		.argument('<file#export>', 'the module, relative to the current directory, and the name of its export (default: the default export)')
		.option('--starmap', 'each line is an array of arguments')
		.option('--ordered', 'write the lines in the order of the input');
	addStreamFlags(command);
	addPoolFlags(command);
	return command.addHelpText('after', HELP).action(async (target: string, flags: MapFlags) => {
		const {execute} = await import('../run/map-action.js');
		await execute(target, flags, readPoolFlags(command));
	});
};

const HELP = `
\`index\` is that of the line, from 0. \`error\` has kind, message, itask (for \`qmr show\`), attempt, jobId, host, and stack when the function threw.
A value is written as JSON has it: undefined is null, a Date is its text, a typed array an array of numbers. A value with NaN, an infinite number, a BigInt,
a Map or a Set is an error of the kind not-json; it stays in the work_dir, which is kept.
A line that is no JSON gives {index, line, error} with the kind not-json, and all others are computed.

Ends with 0 if every task has a value, else with 1; with 2 when nothing was begun.

Examples:
  qmr map ./model.js#simulate -i parameters.jsonl -o results.jsonl --queue-name short.q
  seq 10 | qmr map ./model.js#square --ordered
  qmr map ./model.ts#simulate --limit 2 --engine local < parameters.jsonl
`;
