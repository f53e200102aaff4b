/** Queues and default requests as sites and users have them. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, PoolError, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {lookAround} from '../fixtures/on-node.mjs';
import * as work from '../fixtures/work.mjs';
import {createTestDirectory, keptWorkDirs, poolOptions} from '../helpers/engines.js';
import {addQueue} from '../helpers/extra-queue.js';
import {call, listJobs, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {createProject, runNode} from '../helpers/programs.js';

let directory: ReturnType<typeof createTestDirectory>;

beforeEach(() => {
	directory = createTestDirectory();
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
	vi.restoreAllMocks();
	directory.remove();
});

const SUMS = [
	[1, 2],
	[2, 3],
	[4, 5],
];

describe('queues', () => {
	test.each(['posix_compliant', 'unix_behavior', 'script_from_stdin'])('a map works where shell_start_mode is %s', async mode => {
		const {queueName, qsubArgs, remove} = await addQueue(mode);
		try {
			expect(await call('qconf', ['-sq', queueName])).toMatch(new RegExp(`^shell_start_mode +${mode}$`, 'm'));
			const {engine: _, ...options} = poolOptions('grid-engine', directory.path);
			const pool = new Pool({...options, queueName, qsubArgs});
			const [outcome] = await pool.mapSettled(lookAround, [1]);
			expect(outcome).toMatchObject({status: 'fulfilled', value: {cwd: process.cwd(), variables: {QUEUE: queueName}}});
			expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
			expect(keptWorkDirs(options.workRoot as string)).toEqual([]);
		} finally {
			await remove();
		}
	});

	test('`queueName` is where queue-jobs run; a queue that does not exist ends the map in the scheduler’s words, and nothing is left', async () => {
		const pool = new Pool(poolOptions('grid-engine', directory.path));
		const [look] = await pool.map(lookAround, [1], {queueName: 'all.q'});
		expect(look?.variables.QUEUE).toBe('all.q');
		const error = await pool.map(work.sum, SUMS, {queueName: 'nonexistent.q'}).catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(PoolError);
		expect(error).toMatchObject({code: 'ERR_POOL_SUBMIT_REJECTED', message: expect.stringMatching(/unknown queue/)});
		const {manifest} = await readWorkDir((error as PoolError).workDir as string);
		expect((await listJobs()).filter(({name}) => name.includes(manifest.session))).toEqual([]);
	});

	test('a resource that does not exist ends the map, too', async () => {
		const pool = new Pool(poolOptions('grid-engine', directory.path));
		await expect(pool.map(work.sum, SUMS, {qsubArgs: ['-l', 'nonexistent=1']})).rejects.toMatchObject({
			code: 'ERR_POOL_SUBMIT_REJECTED',
			message: expect.stringContaining('unknown resource "nonexistent"'),
		});
	});
});

describe('default requests', () => {
	const MAIN = `import {Pool} from 'queue-map-reduce';
import {lookAround} from './look.mjs';
const pool = new Pool({engine: 'grid-engine', pollingIntervalMs: 500, graceMs: 500, keepWorkDir: true});
const outcomes = await pool.mapSettled(lookAround, [0, 1]);
console.log(JSON.stringify(outcomes.map(({status, value, attempt}) => ({status, attempt, cwd: value?.cwd}))));
`;

	test.each<[defaults: string, line: RegExp]>([
		['-b y', /^job_type: +binary/m],
		['-j y', /^merge: +y$/m],
		['-cwd', /^cwd: +\/.*project/m],
		['-wd /nonexistent', /^cwd: +\/nonexistent$/m],
		['-S /bin/csh', /^shell_list: +NONE:\/bin\/csh$/m],
		['-o /nonexistent/o -e /nonexistent/e', /^stdout_path_list: +NONE:NONE:\/nonexistent\/o$/m],
		['-r y', /^restart: +y$/m],
		['-now y', /^job_type: +.*immediate/m],
		['-N hostile', /^job_name: +hostile$/m],
		['-notify -m a -p -1 -V', /^notify: +TRUE$/m],
		['-b y -j y -V -cwd -S /bin/csh -r y -now y -N hostile -o /nonexistent/o -e /nonexistent/e', /^job_type: +binary,immediate$/m],
	])('a .sge_request of %s does not change what a map does', async (defaults, line) => {
		const project = join(directory.path, 'project');
		createProject(project, {
			'.sge_request': `${defaults}\n`,
			'main.mjs': MAIN,
			'look.mjs': readFileSync(new URL('../fixtures/on-node.mjs', import.meta.url), 'utf8'),
		});
		// It is obeyed when nothing is said on the command line.
		expect(await call('qsub', ['-verify', '/bin/true'], {cwd: project})).toMatch(line);
		const ran = await runNode(['main.mjs'], {cwd: project});
		expect({code: ran.code, stdout: ran.stdout}).toEqual({
			code: 0,
			stdout: `${JSON.stringify([0, 1].map(() => ({status: 'fulfilled', attempt: 1, cwd: project})))}\n`,
		});
		const [workDir] = keptWorkDirs(join(project, '.qmr')) as [string];
		const {manifest, journal} = await readWorkDir(workDir);
		expect(journal.filter(({event}) => event === 'warning')).toEqual([]);
		await untilGone(({name}) => name.includes(manifest.session));
	});

	test('a .sge_request of -now y makes no qsub be refused when its queue-job can’t be run at once', async () => {
		const project = join(directory.path, 'project');
		const workDir = join(project, 'the-work_dir');
		createProject(project, {
			'.sge_request': '-now y\n',
			'main.mjs': MAIN.replace('keepWorkDir', "workDir: 'the-work_dir', numChunks: 1, qsubArgs: ['-h'], keepWorkDir"),
			'look.mjs': readFileSync(new URL('../fixtures/on-node.mjs', import.meta.url), 'utf8'),
		});
		const running = runNode(['main.mjs'], {cwd: project});
		const {jobId} = await untilNoted(workDir, ({rawState}) => rawState === 'hqw');
		await call('qrls', [jobId as string]);
		expect(await running).toMatchObject({code: 0, stdout: expect.stringMatching(/fulfilled.*fulfilled/)});
		const {manifest} = await readWorkDir(workDir);
		await untilGone(({name}) => name.includes(manifest.session));
	});
});
