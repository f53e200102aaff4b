/**
 * Measures what one question to the queue costs this process while it has 10,000 queue-jobs there, and prints a table. Needs no Grid Engine: the qstat it calls
 * prints what a real one would, after `npm run build`:
 *
 *     node bench/poll.js [--jobs COUNT] [--runs COUNT]
 */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {createGridEngine} from '../dist/src/engines/grid-engine.js';

/** @typedef {{cpuSeconds: number, seconds: number, numJobs: number}} Poll */

const main = async () => {
	const {values} = parseArgs({options: {jobs: {type: 'string', default: '10000'}, runs: {type: 'string', default: '5'}}});
	const numJobs = Number(values.jobs);
	const directory = mkdtempSync(path.join(tmpdir(), 'qmr-poll-'));
	try {
		const engine = makeEngine(directory);
		/** What the next qstat prints. */
		const publish = (/** @type {Listing} */ listing) => writeFileSync(path.join(directory, 'answer.xml'), toXml(listing));
		const table = /** @type {Record<string, Poll[]>} */ ({});
		const measure = async (/** @type {string} */ name) => {
			table[name] = [...(table[name] ?? []), await poll(engine)];
		};
		publish({numJobs, numEnded: 0, load: 0});
		await measure('first answer');
		for (let run = 1; run <= Number(values.runs); run++) {
			publish({numJobs, numEnded: run - 1, load: run});
			await measure('unchanged but for the load');
			publish({numJobs, numEnded: run, load: run});
			await measure('changed: one has ended, one has begun');
			publish({numJobs, numEnded: run, load: run, time: `${10 + run}`});
			await measure('changed: every time is another one');
			publish({numJobs, numEnded: run, load: run});
			await measure('changed back');
		}
		console.log(`one question to a queue of ${numJobs} queue-jobs, medians`);
		console.table(
			Object.fromEntries(
				Object.entries(table).map(([name, polls]) => [
					name,
					{
						'queue-jobs': polls[0]?.numJobs,
						'CPU s': round(median(polls.map(({cpuSeconds}) => cpuSeconds))),
						'most CPU s': round(Math.max(...polls.map(({cpuSeconds}) => cpuSeconds))),
						s: round(median(polls.map(({seconds}) => seconds))),
					},
				]),
			),
		);
	} finally {
		rmSync(directory, {recursive: true});
	}
};

/** An engine whose qstat prints the file `answer.xml`. */
const makeEngine = (/** @type {string} */ directory) => {
	const program = path.join(directory, 'qstat');
	writeFileSync(program, '#!/bin/sh\nexec cat "${0%/*}/answer.xml"\n', {mode: 0o755});
	return createGridEngine({
		qsubPath: program,
		qstatPath: program,
		qdelPath: program,
		qacctPath: undefined,
		qalterPath: undefined,
		qconfPath: undefined,
		queueName: undefined,
		qsubArgs: [],
		errorStateIndicator: 'E',
		programTimeoutMs: 60_000,
		submitConcurrency: 1,
		user: 'daemon',
	});
};

const poll = async (/** @type {import('../dist/src/engines/engine.js').Engine} */ engine) => {
	const before = process.cpuUsage();
	const beganMs = performance.now();
	const jobs = await engine.status();
	const {user, system} = process.cpuUsage(before);
	return {cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - beganMs) / 1000, numJobs: jobs.length};
};

/** @typedef {{numJobs: number, numEnded: number, load: number, time?: string}} Listing */

const NUM_NODES = 50;

/** As Son of Grid Engine 8.1.9 prints it: half of the queue-jobs run, on 50 nodes. */
const toXml = (/** @type {Listing} */ {numJobs, numEnded, load, time = '05'}) => {
	const ids = Array.from({length: numJobs}, (_, i) => numEnded + i);
	const running = ids.slice(0, numJobs / 2);
	const nodes = Array.from({length: NUM_NODES}, (_, node) => running.filter(id => id % NUM_NODES === node));
	return `<?xml version='1.0'?>
<job_info  xmlns:xsd="http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd">
  <queue_info>
${nodes.map((jobs, node) => toInstance(`all.q@node${node}`, load + node / 100, jobs, time)).join('')}  </queue_info>
  <job_info>
${ids
	.slice(numJobs / 2)
	.map(id => toJobList(id, 'pending', '    ', time))
	.join('')}  </job_info>
</job_info>
`;
};

const toInstance = (
	/** @type {string} */ name,
	/** @type {number} */ load,
	/** @type {number[]} */ jobs,
	/** @type {string} */ time,
) => `    <Queue-List>
      <name>${name}</name>
      <qtype>BIP</qtype>
      <slots_used>${jobs.length}</slots_used>
      <slots_resv>0</slots_resv>
      <slots_total>128</slots_total>
      <load_avg>${load.toFixed(5)}</load_avg>
      <arch>lx-amd64</arch>
${jobs.map(id => toJobList(id, 'running', '      ', time)).join('')}    </Queue-List>
`;

const toJobList = (
	/** @type {number} */ id,
	/** @type {'running' | 'pending'} */ state,
	/** @type {string} */ indent,
	/** @type {string} */ time,
) => `${indent}<job_list state="${state}">
${indent}  <JB_job_number>${100_000 + id}</JB_job_number>
${indent}  <JAT_prio>0.50000</JAT_prio>
${indent}  <JB_name>q2026-11-21T00-20-07_a10cda#${String(id).padStart(9, '0')}.1</JB_name>
${indent}  <JB_owner>daemon</JB_owner>
${indent}  <state>${state === 'running' ? 'r' : 'qw'}</state>
${indent}  <${state === 'running' ? 'JAT_start_time' : 'JB_submission_time'}>2026-11-21T${time}:11:06</${state === 'running' ? 'JAT_start_time' : 'JB_submission_time'}>
${indent}  <slots>1</slots>
${indent}</job_list>
`;

const median = (/** @type {number[]} */ numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const round = (/** @type {number} */ number) => Math.round(number * 1000) / 1000;

await main();
