/**
 * What one question to the queue costs this process while it has many queue-jobs there: `measure-poll.js COUNT` prints the seconds of CPU as JSON. Needs no Grid
 * Engine: the qstat it calls prints what a real one would.
 *
 * @typedef {{first: number, unchanged: number, changed: number, allChanged: number}} MeasuredPolls
 */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createGridEngine} from '../../dist/src/engines/grid-engine.js';

const main = async () => {
	const numJobs = Number(process.argv[2]);
	const directory = mkdtempSync(path.join(tmpdir(), 'qmr-poll-'));
	try {
		const engine = makeEngine(directory);
		const measure = async (/** @type {Listing} */ listing) => {
			writeFileSync(path.join(directory, 'answer.xml'), toXml(listing));
			return poll(engine, numJobs);
		};
		/** @type {MeasuredPolls} */
		const measured = {
			first: await measure({numJobs, numEnded: 0, load: 0}),
			// But for the load of the nodes.
			unchanged: await measure({numJobs, numEnded: 0, load: 1}),
			// One has ended, one has begun.
			changed: await measure({numJobs, numEnded: 1, load: 2}),
			allChanged: await measure({numJobs, numEnded: 1, load: 3, time: '11'}),
		};
		console.log(JSON.stringify(measured));
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

/** @type {(engine: import('../../dist/src/engines/engine.js').Engine, numJobs: number) => Promise<number>} */
const poll = async (engine, numJobs) => {
	const before = process.cpuUsage();
	const jobs = await engine.status();
	const {user, system} = process.cpuUsage(before);
	if (jobs.length !== numJobs) throw new Error(`${jobs.length} queue-jobs are told of ${numJobs}`);
	return (user + system) / 1e6;
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

await main();
