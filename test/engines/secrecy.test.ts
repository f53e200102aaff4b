/** What other users see of a map, and that an ordinary user can map. Needs root, to be somebody else. */
import {randomBytes} from 'node:crypto';
import {chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {inspect} from 'node:util';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {lookAround, waitForFile} from '../fixtures/on-node.mjs';
import {createTestDirectory, poolOptions} from '../helpers/engines.js';
import {call, createEnding, deleteJobs, type Ending, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {installPackage} from '../helpers/install-package.js';

/** Everywhere, without a home directory, and nobody's friend. */
const OTHER = 'nobody';

const ARGV = process.argv;

let directory: ReturnType<typeof createTestDirectory>;
let ending: Ending;

beforeEach(() => {
	directory = createTestDirectory();
	ending = createEnding();
	// Only the work_dir itself keeps others out.
	chmodSync(directory.path, 0o755);
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
	await ending.end();
	vi.restoreAllMocks();
	vi.unstubAllEnvs();
	process.argv = ARGV;
	directory.remove();
});

const untilThere = (path: string): Promise<boolean> => vi.waitUntil(() => existsSync(path), {timeout: 60_000, interval: 100});
const newSecret = (): string => randomBytes(12).toString('hex');
const reversed = (text: string): string => text.split('').reverse().join('');

test('no value of the environment can be read by another user: not in /proc, the spools, what qstat tells, or the work_dir', async () => {
	const [secret, dottedSecret, planted] = [newSecret(), newSecret(), newSecret()];
	vi.stubEnv('QMR_TEST_SECRET', secret);
	vi.stubEnv('QMR.TEST.SECRET', dottedSecret);
	// As when the calling program was given it as an argument. (Its /proc/…/cmdline is its caller's business.)
	process.argv = [...ARGV, `--token=${secret}`];
	const pool = new Pool({...poolOptions('grid-engine', directory.path), message: `with ${secret} and ${dottedSecret}`});
	const [node] = await pool.map(lookAround, [1]);
	expect(node?.variables).toMatchObject({QMR_TEST_SECRET: secret, 'QMR.TEST.SECRET': dottedSecret});

	const [started, until] = [join(directory.path, 'started'), join(directory.path, 'until')];
	const [workDir, heldWorkDir] = [join(directory.path, 'running'), join(directory.path, 'held')];
	const {signal} = ending;
	const running = ending.watch(pool.map(waitForFile, [{started, until}], {workDir, signal}));
	const enough = new AbortController();
	const options = {workDir: heldWorkDir, qsubArgs: ['-h'], signal: enough.signal};
	const held = ending.watch(pool.map(waitForFile, [{started, until}], options));
	const plantedJobs = await plant(planted);
	try {
		await untilThere(started);
		const jobIds = [
			...(await Promise.all([workDir, heldWorkDir].map(path => untilNoted(path, ({event}) => event === 'submitted')))).map(
				({jobId}) => jobId,
			),
			...plantedJobs,
		];
		await vi.waitUntil(() => existsSync(join(directory.path, 'planted-runs')), {timeout: 60_000, interval: 100});
		const directories = [...(await spoolDirectories(node?.variables ?? {})), directory.path];
		const script = join(directory.path, 'find-secret.mjs');
		copyFileSync(new URL('../fixtures/find-secret.mjs', import.meta.url), script);
		const search = async (as: string): Promise<Found> => {
			const texts = [secret, dottedSecret, planted].map(reversed);
			const args = [script, ...[texts, jobIds, directories].map(list => JSON.stringify(list))];
			const printed = await call(process.execPath, args, {
				as,
				cwd: '/',
				env: {PATH: process.env.PATH, ...gridVariables(), PLANTED: planted},
			});
			return JSON.parse(printed) as Found;
		};

		const {found} = await search(OTHER);
		expect(found[reversed(secret)]).toEqual([]);
		expect(found[reversed(dottedSecret)]).toEqual([]);
		// The same search finds what is there to be seen.
		const places = (found[reversed(planted)] as string[]).join('\n');
		for (const kind of [
			/\/proc\/\d+\/cmdline/,
			/\/proc\/\d+\/environ/,
			/\/job_scripts\//,
			/\/active_jobs\//,
			/^qstat -j \d+$/m,
			/planted\.txt$/m,
		]) {
			expect(places).toMatch(kind);
		}
		// And root finds the secret where its owner has it.
		const ownersPlaces = (await search('root')).found;
		expect(ownersPlaces[reversed(secret)]).toEqual(
			expect.arrayContaining([join(workDir, 'environment.sh'), join(heldWorkDir, 'environment.sh'), expect.stringMatching(/environ$/)]),
		);
		expect(ownersPlaces[reversed(dottedSecret)]).toContain(join(workDir, 'environment.json'));
		// There alone: all else, run.json and log.jsonl too, has its name.
		const inWorkDirs = [secret, dottedSecret].flatMap(text => ownersPlaces[reversed(text)] as string[]).filter(isBelow(directory.path));
		expect(new Set(inWorkDirs.map(path => basename(path)))).toEqual(new Set(['environment.sh', 'environment.json']));
		const {manifest} = await readWorkDir(workDir);
		expect(manifest.processNode.command.at(-1)).toBe('--token=${QMR_TEST_SECRET}');
		expect(manifest.message).toBe('with ${QMR_TEST_SECRET} and ${QMR.TEST.SECRET}');
	} finally {
		writeFileSync(until, '');
		enough.abort(new Error('seen enough'));
		await deleteJobs(plantedJobs);
	}
	expect(await running).toEqual([1]);
	await expect(held).rejects.toThrow('seen enough');
	await untilGone(({id}) => plantedJobs.includes(id));
});

const isBelow =
	(parent: string) =>
	(path: string): boolean =>
		path.startsWith(`${parent}/`);

test('what the scheduler says of an argument that holds a secret is told without it', async () => {
	const secret = newSecret();
	vi.stubEnv('QMR_TEST_SECRET', secret);
	const workDir = join(directory.path, 'refused');
	const refused = new Pool({...poolOptions('grid-engine', directory.path), workDir, queueName: `${secret}.q`}).map(Math.sqrt, [4]);
	await expect(refused).rejects.toSatisfy(
		error =>
			error.code === 'ERR_POOL_SUBMIT_REJECTED' && error.message.includes('${QMR_TEST_SECRET}.q') && !inspect(error).includes(secret),
	);
	const kept = readdirSync(workDir).filter(name => readFileSync(join(workDir, name)).includes(secret));
	expect(kept).toEqual(['environment.sh']);
	expect((await readWorkDir(workDir)).journal.some(({reason}) => reason?.includes('${QMR_TEST_SECRET}.q'))).toBe(true);
});

type Found = {readonly found: Readonly<Record<string, readonly string[]>>};

/** Puts a text where a careless program would: into a script, an argument, a variable of a queue-job, a file. */
const plant = async (text: string): Promise<string[]> => {
	const script = join(directory.path, 'planted.sh');
	writeFileSync(script, `#!/bin/sh\nexec sh -c ': ${text}; : >"$0"; sleep 600; :' '${join(directory.path, 'planted-runs')}'\n`);
	writeFileSync(join(directory.path, 'planted.txt'), text);
	const args = ['-terse', '-N', 'planted', '-S', '/bin/sh', '-wd', '/', '-o', '/dev/null', '-e', '/dev/null', '-v', `PLANTED=${text}`];
	const ids = await Promise.all([[], ['-h']].map(more => call('qsub', [...args, ...more, script])));
	return ids.map(id => id.trim());
};

/** Where master and nodes keep queue-jobs, and the accounting. */
const spoolDirectories = async ({SGE_ROOT = '', SGE_CELL = ''}: NodeJS.ProcessEnv): Promise<string[]> => {
	const common = join(SGE_ROOT, SGE_CELL, 'common');
	const settings = (await call('qconf', ['-sconf'])) + readFileSync(join(common, 'bootstrap'), 'utf8');
	const setting = (name: string): string => new RegExp(`^${name}\\s+(\\S+)$`, 'm').exec(settings)?.[1] ?? '';
	const found = [common, ...['execd_spool_dir', 'qmaster_spool_dir', 'spooling_params'].map(setting)];
	for (const path of found) expect(statSync(path).isDirectory()).toBe(true);
	return found;
};

const gridVariables = (): NodeJS.ProcessEnv =>
	Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('SGE_') || name === 'GRID_ENGINE_INSTANCE'));

test('N20: an ordinary user whose home directory does not exist can map; all files are that user’s alone', async () => {
	const project = join(directory.path, 'project');
	mkdirSync(project);
	installPackage(join(project, 'node_modules'));
	copyFileSync(new URL('../fixtures/on-node.mjs', import.meta.url), join(project, 'on-node.mjs'));
	writeFileSync(
		join(project, 'main.mjs'),
		`import {Pool} from 'queue-map-reduce';
import {lookAround} from './on-node.mjs';
const pool = new Pool({engine: 'grid-engine', pollingIntervalMs: 500, keepWorkDir: true, workDir: 'kept'});
console.log(JSON.stringify(await pool.map(lookAround, [0, 1, 2])));
`,
	);
	const uid = Number(await call('id', ['-u', OTHER]));
	const home = (await call('getent', ['passwd', OTHER])).split(':')[5] as string;
	expect(existsSync(home)).toBe(false);
	chownSync(project, uid, -1);
	const env = {PATH: process.env.PATH, ...gridVariables(), HOME: home, USER: OTHER, LOGNAME: OTHER, QMR_TEST_VALUE: "it's\nhere"};
	const looks = JSON.parse(
		await call('sh', ['-c', `cd "$0" && umask 000 && exec ${process.execPath} main.mjs`, project], {as: OTHER, env}),
	);
	expect(looks).toHaveLength(3);
	for (const look of looks) {
		// The umask of the tasks is the caller's; the files of the map are private all the same.
		expect(look).toMatchObject({uid, cwd: project, home, umask: 0, isTmpdirThere: true, variables: {QMR_TEST_VALUE: "it's\nhere"}});
	}
	const kept = join(project, 'kept');
	const {mode, uid: owner} = statSync(kept);
	expect({mode: mode & 0o777, owner}).toEqual({mode: 0o700, owner: uid});
	for (const name of readdirSync(kept)) {
		const stats = statSync(join(kept, name));
		expect([name, stats.mode & 0o777, stats.uid]).toEqual([name, 0o600, uid]);
	}
});
