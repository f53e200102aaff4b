/**
 * The whole benchmark on whatever engines are there, as a table. After `npm run build`, on a machine (a submit host) that has nothing else to do:
 *
 *     npm run bench -- [--engine NAME,…] [--cases NAME,…] [--runs COUNT] [--slots COUNT] [--quick] [--install] [--markdown FILE] [--json FILE] [--directory PATH]
 *
 * --engine     only these of grid-engine, slurm, local; all that are there by default
 * --cases      only these; a name may end in `*`. `list` prints them. `faults` is run only when it is named
 * --runs       of each, the contestants taking turns; the table has medians (5)
 * --slots      queue-jobs that can run at once (48)
 * --quick      sizes so small that it only shows that everything runs
 * --install    fetches GNU parallel and R batchtools by apt-get
 * --markdown   puts the table between the marks in this file
 * --json       writes all values to this file
 * --directory  for files, on a file system that the worker-nodes share (that of temporary files)
 */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {createBytes} from './cases/bytes.js';
import {createFaults} from './cases/faults.js';
import {createManyChunks} from './cases/many-chunks.js';
import {createMemory} from './cases/memory.js';
import {createMultiply} from './cases/multiply.js';
import {createReading} from './cases/reading.js';
import {createShortJobs} from './cases/short-jobs.js';
import {createTimers} from './cases/timers.js';
import {createUneven} from './cases/uneven.js';
import {createWaiting} from './cases/waiting.js';
import {runCase, verdictOf} from './helpers/case.js';
import {findEngines} from './helpers/engines.js';
import {describeMachine} from './helpers/machine.js';
import {createBatchtools, installPeers, missingPeers} from './helpers/peers.js';
import {run} from './helpers/programs.js';
import {Skip} from './helpers/skip.js';
import {createTable, formatMarkdown, formatText, writeBetweenMarks} from './helpers/table.js';

/** @typedef {import('./helpers/case.js').Bench} Bench */

/** In the order of the table. @type {((bench: Bench) => import('./helpers/case.js').Case[])[]} */
const CASES = [
	createShortJobs,
	createTimers,
	createUneven,
	createMultiply,
	createManyChunks,
	createBytes,
	createReading,
	createMemory,
	createWaiting,
];

/** Run only when they are named. @type {((bench: Bench) => import('./helpers/case.js').Report[])[]} */
const REPORTS = [createFaults];

const main = async () => {
	const {values} = parseArgs({
		options: {
			engine: {type: 'string'},
			cases: {type: 'string'},
			runs: {type: 'string'},
			slots: {type: 'string', default: '48'},
			quick: {type: 'boolean', default: false},
			install: {type: 'boolean', default: false},
			markdown: {type: 'string'},
			json: {type: 'string'},
			directory: {type: 'string', default: tmpdir()},
		},
	});
	const numRuns = Number(values.runs ?? (values.quick ? 1 : 5));
	const directory = mkdtempSync(path.join(values.directory, 'qmr-bench-'));
	try {
		const engines = chooseEngines(await findEngines(directory, Number(values.slots)), values.engine);
		const benches = engines.map(engine => createBench(engine, directory, Number(values.slots), values.quick));
		const wanted = values.cases?.split(',');
		const chosen = benches.map(bench => ({bench, ...chooseCases(bench, wanted)}));
		if (chosen.every(({cases, reports}) => cases.length + reports.length === 0))
			throw new Error(`Expected --cases to be names that \`--cases list\` prints, got ${values.cases}.`);
		if (values.cases === 'list') {
			for (const {bench, cases, reports} of chosen) {
				console.log(`${bench.engine.name}\n${[...cases, ...reports].map(({name, title}) => `  ${name}: ${title}`).join('\n')}`);
			}
			return;
		}
		if (values.install) await installPeers();
		const {version} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
		const about = [...describeMachine(engines, version), `median of ${numRuns} runs`, ...missingPeers()];
		console.log(about.join('\n'));
		const tables = [];
		const all = [];
		for (const {bench, cases, reports} of chosen) {
			for (const {report} of reports) await report(numRuns);
			if (cases.length === 0) continue;
			const results = [];
			for (const each of cases) results.push(await runCase(each, numRuns, line => console.error(`${bench.engine.name}: ${line}`)));
			const rows = createTable(results);
			tables.push({engine: bench.engine, rows});
			all.push(...results.map(result => ({engine: bench.engine.name, name: result.case.name, ...result, verdict: verdictOf(result)})));
			console.log(`\n${bench.engine.name}\n${formatText(rows)}`);
		}
		if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({about, results: all}, null, '\t')}\n`);
		if (values.markdown !== undefined) {
			const parts = tables.map(({engine, rows}) => `${engine.version} (\`${engine.name}\`):\n\n${formatMarkdown(rows)}`);
			writeBetweenMarks(values.markdown, [about.map(line => `- ${line}`).join('\n'), ...parts].join('\n\n'));
		}
	} finally {
		rmSync(directory, {recursive: true});
	}
};

/** @type {(found: import('./helpers/engines.js').BenchEngine[], names: string | undefined) => import('./helpers/engines.js').BenchEngine[]} */
const chooseEngines = (found, names) => {
	if (names === undefined) return found;
	return names.split(',').map(name => {
		const engine = found.find(each => each.name === name);
		if (engine === undefined) throw new Error(`Expected --engine to be of ${found.map(each => each.name).join(', ')}, got ${name}.`);
		return engine;
	});
};

/** @type {(bench: Bench, wanted: readonly string[] | undefined) => {cases: import('./helpers/case.js').Case[], reports: import('./helpers/case.js').Report[]}} */
const chooseCases = (bench, wanted) => {
	const isWanted = (/** @type {{name: string}} */ {name}) =>
		wanted?.some(want => (want.endsWith('*') ? name.startsWith(want.slice(0, -1)) : [name, 'list'].includes(want)));
	return {
		cases: CASES.flatMap(create => create(bench))
			.filter(each => isWanted(each) ?? true)
			// The targets are for the real sizes.
			.map(each => (bench.quick ? {...each, verdict: {unit: each.verdict.unit, of: each.verdict.of}} : each)),
		reports: REPORTS.flatMap(create => create(bench)).filter(each => isWanted(each) ?? false),
	};
};

const MEASURE_MAP = fileURLToPath(new URL('./helpers/measure-map.js', import.meta.url));

/** @type {(engine: import('./helpers/engines.js').BenchEngine, directory: string, slots: number, quick: boolean) => Bench} */
const createBench = (engine, directory, slots, quick) => ({
	engine,
	quick,
	slots,
	directory,
	batchtools: createBatchtools(engine.name, directory, slots),
	measure: async map => {
		const options = {workRoot: directory, ...map.options};
		/** @type {import('./helpers/measure-map.js').MapAnswer} */
		const answer = JSON.parse(await run(process.execPath, [MEASURE_MAP, JSON.stringify({...map, options})]));
		if ('skip' in answer) throw new Skip(answer.skip);
		return answer.measured;
	},
});

await main();
