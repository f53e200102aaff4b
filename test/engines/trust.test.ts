/** What one user has put in another one's way, or another one's reach. Needs root, to be two users. */
import {
	chmodSync,
	chownSync,
	existsSync,
	lchownSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	realpathSync,
	rmSync,
	statSync,
	symlinkSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Pool, type PoolError, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {trustWorkDir} from '../../src/trust-work-dir.js';
import {call} from '../helpers/grid-engine.js';
import {installPackage} from '../helpers/install-package.js';

/** Of nobody else on this machine. */
const [ADA, EVE] = [61_001, 61_002];

let scratch: string;

beforeEach(() => {
	expect(process.getuid?.(), 'these tests need root').toBe(0);
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
	scratch = realpathSync(mkdtempSync(join(tmpdir(), 'qmr-scratch-')));
	chmodSync(scratch, 0o1777);
});
afterEach(() => {
	vi.restoreAllMocks();
	rmSync(scratch, {recursive: true, force: true});
});

/** A file is reached with the rights of the effective user; the real one lets it come back. */
const as = async <Value>(uid: number, act: () => Promise<Value>): Promise<Value> => {
	process.seteuid?.(uid);
	try {
		return await act();
	} finally {
		process.seteuid?.(0);
	}
};

const make = (name: string, owner: number, mode: number): string => {
	const path = join(scratch, name);
	mkdirSync(path, {recursive: true});
	chownSync(path, owner, -1);
	chmodSync(path, mode);
	return path;
};
const plantLink = (name: string, target: string, owner: number): string => {
	const path = join(scratch, name);
	symlinkSync(target, path);
	lchownSync(path, owner, -1);
	return path;
};

type Place = {readonly workDir?: string; readonly workRoot?: string};

/** Up to the first file that is written. */
const mapIn = (place: Place): Promise<number[]> =>
	new Pool({engine: 'local', slots: 1, pollingIntervalMs: 100, keepWorkDir: true}).map(Math.sqrt, [4], place);

/** The whole way, by a process that is all that user's. */
const mapAs = async (uid: number, place: Place): Promise<void> => {
	const printed = await runAs(
		uid,
		`const {Pool} = await import('queue-map-reduce');
		const pool = new Pool({engine: 'local', slots: 1, pollingIntervalMs: 100, keepWorkDir: true});
		console.log(await pool.map(Math.sqrt, [4], ${JSON.stringify(place)}));`,
	);
	expect(printed).toBe('[ 2 ]\n');
};

const runAs = (uid: number, script: string, ...rights: readonly string[]): Promise<string> => {
	const project = join(scratch, 'project');
	if (!existsSync(project)) {
		mkdirSync(project);
		installPackage(join(project, 'node_modules'));
	}
	const user = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...rights];
	return call('setpriv', [...user, process.execPath, '--input-type=module', '-e', script], {cwd: project});
};

const refusal = async (promise: Promise<unknown>): Promise<string> => {
	const error = await promise.then(
		() => undefined,
		(thrown: PoolError) => thrown,
	);
	expect(error).toMatchObject({name: 'PoolError', code: 'ERR_POOL_WORK_DIR'});
	return error?.message ?? '';
};

describe('a directory for everybody', () => {
	test('with the sticky bit is a good place for work_dirs of many, each its owner’s alone', async () => {
		for (const uid of [ADA, EVE]) {
			const workDir = join(scratch, `of-${uid}`);
			await mapAs(uid, {workDir});
			expect([statSync(workDir).uid, statSync(workDir).mode & 0o777]).toEqual([uid, 0o700]);
			expect((await as(uid, () => readWorkDir(workDir))).tasks[0]).toMatchObject({state: 'done'});
		}
		await mapAs(ADA, {workRoot: join(scratch, 'ada/deep')});
		expect(statSync(join(scratch, 'ada')).uid).toBe(ADA);
	});

	test('without it is refused: anybody could put another work_dir in the place of one', async () => {
		chmodSync(scratch, 0o777);
		expect(await refusal(as(ADA, () => mapIn({workRoot: scratch})))).toContain('where everybody may rename everything (mode 0777)');
		expect(await refusal(as(ADA, () => mapIn({workDir: join(scratch, 'run')})))).toContain('the sticky bit: chmod 1777.');
		expect(readdirSync(scratch)).toEqual([]);
	});
});

describe('what somebody else has planted there is refused, and nothing is written into it', () => {
	test.each([0o777, 0o1777, 0o2770, 0o755])('a directory as workRoot, or above it: mode %o', async mode => {
		const planted = make('ada', EVE, mode);
		for (const workRoot of [planted, join(planted, 'root')]) {
			const message = await refusal(as(ADA, () => mapIn({workRoot})));
			expect(message).toContain(`got ${planted}, a directory of uid ${EVE} in ${scratch}, which everybody may write. `);
		}
		expect(readdirSync(planted)).toEqual([]);
	});

	test('an empty directory as workDir', async () => {
		const planted = make('run', EVE, 0o777);
		const message = await refusal(as(ADA, () => mapIn({workDir: planted})));
		expect(message).toContain(`but ${planted} belongs to somebody else (uid ${EVE}). `);
	});

	test('a symbolic link as workRoot, as workDir, above them, also to a good place', async () => {
		const good = make('good', ADA, 0o700);
		const link = plantLink('link', good, EVE);
		for (const options of [{workRoot: link}, {workRoot: join(link, 'root')}, {workDir: join(link, 'run')}]) {
			expect(await refusal(as(ADA, () => mapIn(options)))).toContain(`got ${link}, a symbolic link of uid ${EVE} in ${scratch}`);
		}
		expect(await refusal(as(ADA, () => mapIn({workDir: link})))).toContain('is a symbolic link');
		expect(readdirSync(good)).toEqual([]);
		// A link of one's own is one's own wish.
		await mapAs(ADA, {workRoot: plantLink('mine', good, ADA)});
		expect(readdirSync(good)).toHaveLength(1);
	});

	test('a work_dir to be read', async () => {
		const workDir = join(scratch, 'run');
		await mapAs(EVE, {workDir});
		chmodSync(workDir, 0o755);
		const message = await refusal(as(ADA, () => readWorkDir(workDir)));
		expect(message).toContain(
			`Expected the work_dir ${workDir} to belong to the user of this process (uid ${ADA}), got uid ${EVE}. Go on as that user`,
		);
		chmodSync(workDir, 0o777);
		expect(await refusal(as(EVE, () => readWorkDir(workDir)))).toContain('to be writable by nobody but its owner, got mode 0777');
		// Root reads what it likes: nothing of it is run.
		expect((await readWorkDir(workDir)).tasks[0]).toMatchObject({state: 'done'});
	});
});

test('a directory that its owner has opened to a group is a good place: the group was let in', async () => {
	const home = make('projects', 0, 0o755);
	const project = join(home, 'group');
	mkdirSync(project);
	chownSync(project, EVE, -1);
	chmodSync(project, 0o2777);
	expect(await refusal(as(ADA, () => mapIn({workRoot: project})))).toContain('where everybody may rename everything');
	chownSync(project, EVE, ADA);
	chmodSync(project, 0o2770);
	await mapAs(ADA, {workRoot: project});
	expect(readdirSync(project)).toHaveLength(1);
});

test('root does not work in the work_dir of another: its owner would decide what root’s queue-jobs run', async () => {
	const workDir = make('run', EVE, 0o700);
	expect(await refusal(trustWorkDir(workDir))).toContain(`to belong to the user of this process (uid 0), got uid ${EVE}`);
	await trustWorkDir(workDir, 'read');
});

test('a directory that shows another owner’s number, but is closed to all but its owner and yet open to us, is ours: so it looks on some network file systems', async () => {
	const workDir = make('projects/run', EVE, 0o700);
	chownSync(join(scratch, 'projects'), 0, -1);
	const script = `
		const {trustWorkDir} = await import('./node_modules/queue-map-reduce/dist/src/trust-work-dir.js');
		await trustWorkDir(${JSON.stringify(workDir)}).then(() => console.log('trusted'), error => console.log(error.message));`;
	// To the file system, one who passes by its permissions is what the owner is.
	const passes = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
	expect(await runAs(ADA, script, ...passes)).toBe('trusted\n');
	expect(await runAs(ADA, script)).toContain(`got uid ${EVE}`);
	chmodSync(workDir, 0o755);
	expect(await runAs(ADA, script, ...passes)).toContain(`got uid ${EVE}`);
});
