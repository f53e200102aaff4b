/** Real schedulers keep the contract of an engine. */
import {execFileSync} from 'node:child_process';
import type {Engine} from 'queue-map-reduce';
import {type ContractHooks, engineContract} from 'queue-map-reduce/engine-contract';
import {describe, test} from 'vitest';
import {createRealGridEngine, createRealSlurm} from '../helpers/contract-engines.js';
import {ENGINES, type EngineName} from '../helpers/engines.js';

/** A scheduler looks for room every few seconds, and writes its accounting when it likes. */
const PATIENT: ContractHooks = {timeoutMs: 150_000, explainsEnds: true};

type Row = {readonly makeEngine: () => Engine; readonly makeHooks: () => ContractHooks};

const rows: {readonly [Name in EngineName]?: Row} = {
	'grid-engine': {
		makeEngine: () => createRealGridEngine(),
		makeHooks: () => ({
			...PATIENT,
			numHosts: execFileSync('qconf', ['-sel'], {encoding: 'utf8'}).trim().split('\n').length,
			makeRefusingEngine: () => createRealGridEngine({queueName: 'no-such.q'}),
		}),
	},
	slurm: {
		makeEngine: () => createRealSlurm(),
		makeHooks: () => ({
			...PATIENT,
			numHosts: execFileSync('sinfo', ['-h', '-N', '-o', '%N'], {encoding: 'utf8'}).trim().split('\n').length,
			makeRefusingEngine: () => createRealSlurm({queueName: 'no-such'}),
		}),
	},
};

for (const name of ENGINES) {
	const row = rows[name];
	if (row === undefined) continue;
	describe(name, () => {
		for (const {title, run} of engineContract(row.makeEngine, row.makeHooks())) test(title, run);
	});
}
