/** Queue-jobs of others, and others who map at the same time. */
import {existsSync, mkdirSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import * as work from '../fixtures/work.mjs';
import {createTestDirectory, poolOptions} from '../helpers/engines.js';
import {call, createEnding, deleteJobs, type Ending, listJobs, oneNode, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {createProject, runNode} from '../helpers/programs.js';

let directory: ReturnType<typeof createTestDirectory>;
let ending: Ending;

beforeEach(() => {
	directory = createTestDirectory();
	ending = createEnding();
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
	await ending.end();
	vi.restoreAllMocks();
	directory.remove();
});

/** Submits a program that sleeps; gives its number. */
const submitSleep = async (name: string, more: readonly string[], as?: string): Promise<string> => {
	const args = ['-terse', '-N', name, '-b', 'y', '-wd', '/', '-o', '/dev/null', '-e', '/dev/null', ...more, 'sleep', '600'];
	return (await call('qsub', args, {cwd: '/', ...(as === undefined ? {} : {as})})).trim();
};

const stateOf = async (id: string): Promise<string | undefined> => (await listJobs()).find(job => job.id === id)?.state;

test('A12: queue-jobs of other users and of other sessions are never touched, also those with the very names of ours', async () => {
	const workDir = join(directory.path, 'the work_dir');
	const missing = join(directory.path, 'later');
	const pool = new Pool({...poolOptions('grid-engine', directory.path), workDir, keepWorkDir: true, maxNumResubmissions: 100});
	// Ours go into Eqw, so that there is something to delete and to submit again; on one node, whose word alone is not believed.
	const qsubArgs = ['-wd', missing, '-l', `h=${await oneNode()}`];
	const running = ending.watch(pool.map(work.sum, [[1, 2]], {qsubArgs, signal: ending.signal}));
	const {jobName = ''} = await untilNoted(workDir, ({event, attempt}) => event === 'submitting' && attempt === 2);
	const next = (steps: number): string => jobName.replace(/\d+$/, attempt => String(Number(attempt) + steps));
	const foreign: string[] = [];
	try {
		for (const name of [jobName, next(1), next(2), next(3)]) {
			foreign.push(await submitSleep(name, [], 'nobody'));
			foreign.push(await submitSleep(name, ['-wd', '/nonexistent'], 'nobody'));
			// Another program of ours.
			foreign.push(await submitSleep(name, ['-wd', '/nonexistent']));
			foreign.push(await submitSleep(name.replace('#', '_other#'), ['-wd', '/nonexistent']));
		}
		for (const [i, id] of foreign.entries()) {
			await vi.waitUntil(async () => (await stateOf(id)) === (i % 4 === 0 ? 'r' : 'Eqw'), {timeout: 60_000, interval: 500});
		}
		await untilNoted(workDir, ({event, jobName: name}) => event === 'submitting' && name === next(5));
		mkdirSync(missing);
		expect(await running).toEqual([3]);
		const {journal} = await readWorkDir(workDir);
		const ours = new Set(journal.flatMap(({jobId}) => jobId ?? []));
		expect(foreign.filter(id => ours.has(id))).toEqual([]);
		await untilGone(({id}) => ours.has(id));
		for (const [i, id] of foreign.entries()) expect([id, await stateOf(id)]).toEqual([id, i % 4 === 0 ? 'r' : 'Eqw']);
	} finally {
		await deleteJobs(foreign);
	}
	await untilGone(({id}) => foreign.includes(id));
});

test('a loss is seen although another queue-job of the same user has the very same name', async () => {
	const workDir = join(directory.path, 'the work_dir');
	const pool = new Pool({...poolOptions('grid-engine', directory.path), workDir, keepWorkDir: true});
	const running = ending.watch(pool.mapSettled(work.sum, [[1, 2]], {qsubArgs: ['-h'], signal: ending.signal}));
	const {jobId, jobName} = await untilNoted(workDir, ({event}) => event === 'submitted');
	const impostor = await submitSleep(jobName as string, ['-h']);
	try {
		await untilNoted(workDir, ({rawState}) => rawState === 'hqw');
		await call('qdel', [jobId as string]);
		// Not brought back, for somebody has deleted it; and not waited for, though its name is listed.
		expect(await running).toMatchObject([{status: 'rejected', jobId, reason: {kind: 'deleted'}}]);
		expect((await readWorkDir(workDir)).journal.filter(({event}) => event === 'submitted')).toHaveLength(1);
		expect(await stateOf(impostor)).toBe('hqw');
	} finally {
		await deleteJobs([impostor]);
	}
	await untilGone(({id}) => id === impostor);
});

test('three processes that map at once in one directory do not disturb each other', async () => {
	createProject(directory.path, {
		'main.mjs': `import {Pool} from 'queue-map-reduce';
import {square} from './square.mjs';
const pool = new Pool({engine: 'grid-engine', pollingIntervalMs: 500, graceMs: 60_000});
const from = Number(process.argv[2]);
const tasks = [0, 1, 2, 3, 4, 5].map(i => from + i);
console.log(JSON.stringify([await pool.map(square, tasks), await pool.map(square, tasks, {numChunks: 2})]));
`,
		'square.mjs': 'export const square = x => x * x;\n',
	});
	const starts = [0, 100, 200];
	const ran = await Promise.all(starts.map(from => runNode(['main.mjs', String(from)], {cwd: directory.path})));
	for (const [i, from] of starts.entries()) {
		const squares = [0, 1, 2, 3, 4, 5].map(j => (from + j) ** 2);
		expect(ran[i]).toMatchObject({code: 0, stdout: `${JSON.stringify([squares, squares])}\n`});
	}
	// Whoever made the directory may have left it to the others, who only remove what they made.
	expect(existsSync(join(directory.path, '.qmr')) ? readdirSync(join(directory.path, '.qmr')) : []).toEqual([]);
});

test('the phase diagram of the examples, unchanged, finds the Grid Engine on PATH', async () => {
	const main = new URL('../../examples/phase-diagram/main.js', import.meta.url);
	const ran = await runNode([main.pathname, '--grid', '3', '--size', '20', '--trials', '2'], {cwd: directory.path});
	expect(ran).toMatchObject({code: 0, stderr: expect.stringMatching(/engine grid-engine, for \/.*qsub is on PATH/)});
	expect(ran.stdout).toContain('9 points, 18 problems in');
	expect(readFileSync(join(directory.path, 'phase-diagram.svg'), 'utf8')).toContain('</svg>');
	expect(existsSync(join(directory.path, '.qmr'))).toBe(false);
});
