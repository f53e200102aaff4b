import {join} from 'node:path';
import {Pool} from 'queue-map-reduce';
import {beforeEach, expect, onTestFinished, test} from 'vitest';
import type {Engine, JobStatus} from '../../src/engines/engine.js';
import {createLocalEngine} from '../../src/engines/local.js';
import {cancelMap} from '../../src/later/cancel-map.js';
import {jobName} from '../../src/layout.js';
import {realFiles} from '../../src/ports.js';
import {readManifest} from '../../src/read/read-manifest.js';
import {catchStderr} from '../helpers/caught-stderr.js';
import {createTestDirectory} from '../helpers/engines.js';

catchStderr();

let workDir: string;
let session: string;
beforeEach(async () => {
	const directory = createTestDirectory();
	onTestFinished(directory.remove);
	workDir = join(directory.path, 'run');
	await new Pool({engine: 'local', workDir, keepWorkDir: true, pollingIntervalMs: 50, config: false}).map(Math.sqrt, [1, 4]);
	const found = await readManifest(workDir, realFiles);
	if (found.kind === 'found') session = found.manifest.session;
});

/** A queue that lists the queue-job of chunk 0 as running for so many questions more. */
const queueThatLists = (numTimes: number): {engine: Engine; removed: string[]; numQuestions: () => number} => {
	const removed: string[] = [];
	let numQuestions = 0;
	const job = (): JobStatus => ({id: '7', name: jobName(session, 0, 1), state: 'running', rawState: 'r'});
	const engine: Engine = {
		...createLocalEngine({slots: 1}),
		outlivesProcess: true,
		status: async () => (numQuestions++ < numTimes ? [job()] : []),
		remove: async ids => void removed.push(...ids),
	};
	return {engine, removed, numQuestions: () => numQuestions};
};

const cancel = (engine: Engine) => cancelMap({workDir, options: {}, chooseEngine: async () => engine, tell: () => undefined});

test('what has brought its result and is about to leave the queue is neither removed nor in the way', async () => {
	const {engine, removed, numQuestions} = queueThatLists(3);
	expect(await cancel(engine)).toEqual([{workDir, session, how: 'had-ended', removed: []}]);
	expect([numQuestions(), removed]).toEqual([4, []]);
});
