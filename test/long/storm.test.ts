/** Three processes that map at once for minutes, on a cluster of their own in which something fails every few seconds. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {storm} from '../../bench/storm/storm.js';
import {createTestDirectory} from '../helpers/engines.js';
import {untilGone} from '../helpers/grid-engine.js';
import {bringUpCluster} from '../helpers/own-cluster.js';
import {processesWith} from '../helpers/processes.js';
import {withoutVitest} from '../helpers/programs.js';

const SECONDS = Number(process.env.QMR_STORM_SECONDS ?? 240);
const SEED = Number(process.env.QMR_STORM_SEED ?? Math.floor(Math.random() * 1e6));

test(`three processes map for ${SECONDS} s while everything fails at random: nothing is lost, nothing finished is computed again, nothing hangs (seed ${SEED})`, async () => {
	const cluster = await bringUpCluster(51, {nodes: 2, slots: 8});
	const directory = createTestDirectory();
	try {
		const path = join(directory.path, 'storm');
		mkdirSync(path);
		const report = await storm({directory: path, seconds: SECONDS, numProcesses: 3, seed: SEED, control: cluster.do, env: withoutVitest()});
		process.stdout.write(`${JSON.stringify({...report, twice: report.twice.length}, null, '\t')}\n`);
		expect(report.hung).toEqual([]);
		expect(report.lost).toEqual([]);
		expect(report.twice).toEqual([]);
		// It must have been a storm.
		expect(Object.values(report.faults).reduce((a, b) => a + b)).toBeGreaterThan(SECONDS / 20);
		expect(report.numMaps).toBeGreaterThan(5);
		await untilGone(() => true);
		expect(processesWith(directory.path)).toEqual([]);
	} finally {
		await cluster.remove();
		directory.remove();
	}
});
