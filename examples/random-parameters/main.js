/** Runs a program for rows of random parameters, and makes one table of what the runs that succeeded have written. */
import {writeFile} from 'node:fs/promises';
import {parseArgs} from 'node:util';
import {Pool, randomParameters} from 'queue-map-reduce';
import {runModel} from './run-model.js';
import {formatCsv, readRow} from './table.js';

const BOUNDS = {growth: [2.8, 4.1], start: [0.1, 0.9], generations: [1000]};

const {values} = parseArgs({
	options: {
		rows: {type: 'string', default: '20'},
		seed: {type: 'string', default: '625'},
		out: {type: 'string', default: 'table.csv'},
	},
});

const parameters = randomParameters(BOUNDS, Number(values.rows), values.seed);
// The files of the model are in the work_dir.
const pool = new Pool({keepWorkDir: true, message: `${values.rows} rows of random parameters, seed ${values.seed}`});
const outcomes = await pool.mapSettled(runModel, parameters);

const rows = outcomes.flatMap((outcome, itask) => {
	const row = outcome.status === 'fulfilled' ? readRow(outcome.value) : undefined;
	return row === undefined ? [] : [{itask, ...row}];
});
await writeFile(values.out, formatCsv(rows));

console.log(`${rows.length} of ${parameters.length} rows are in ${values.out}.`);
for (const [itask, outcome] of outcomes.entries()) {
	if (rows.some(row => row.itask === itask)) continue;
	const {growth, start} = parameters.at(itask) ?? {};
	const reason = outcome.status === 'rejected' ? (outcome.reason.remote?.message ?? outcome.reason.message) : 'its files are not whole';
	console.log(`Missing: ${itask}, with growth ${growth} and start ${start}: ${reason}`);
}
