/** The engines of this library keep what they promise. Real schedulers are tried in test/engines/contract.test.ts. */
import {join} from 'node:path';
import {engineContract} from 'queue-map-reduce/engine-contract';
import {afterAll, describe, test} from 'vitest';
import {createHostsEngine} from '../../examples/own-engine/hosts-engine.js';
import {createLocalEngine} from '../../src/engines/local.js';
import {createDummyEngine} from '../helpers/contract-engines.js';
import {createTestDirectory} from '../helpers/engines.js';
import {makeRemoteShell} from '../helpers/remote-shell.js';

/** A case ends by itself, with words, after a minute, and then cleans up. */
const PATIENCE_MS = 120_000;

describe('local', () => {
	// Fewer slots than queue-jobs, so that some wait.
	const makeEngine = () => ({...createLocalEngine({slots: 2}), name: 'local-under-contract'});
	for (const {title, run} of engineContract(makeEngine, {explainsEnds: true})) test(title, run, PATIENCE_MS);
});

describe('grid-engine on the dummy queue', () => {
	const {path, remove} = createTestDirectory();
	afterAll(remove);
	let numQueues = 0;
	const makeEngine = () => createDummyEngine(join(path, String(numQueues++)));
	const makeRefusingEngine = () => createDummyEngine(join(path, String(numQueues++)), {known: {queues: ['short.q']}, queueName: 'long.q'});
	for (const {title, run} of engineContract(makeEngine, {explainsEnds: true, makeRefusingEngine})) test(title, run, PATIENCE_MS);
});

describe('the engine of the examples', () => {
	const {path, remove} = createTestDirectory();
	afterAll(remove);
	const shell = [makeRemoteShell(path)];
	const makeEngine = () => createHostsEngine(['near', 'far'].map(name => ({name, slots: 3, shell: [...shell, name]})));
	for (const {title, run} of engineContract(makeEngine, {explainsEnds: true, numHosts: 2})) test(title, run, PATIENCE_MS);
});
