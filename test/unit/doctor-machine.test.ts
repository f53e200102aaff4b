import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {checkMachine} from '../../src/doctor/check-machine.js';
import {describeFileSystem} from '../../src/doctor/file-systems.js';
import type {Finding} from '../../src/doctor/finding.js';
import {formatBytes} from '../../src/doctor/format-bytes.js';
import {type MachineFacts, readMachine} from '../../src/doctor/machine-facts.js';
import {createTestDirectory} from '../helpers/engines.js';

const NFS = 0x6969;
const EXT4 = 0xef53;
const TMPFS = 0x01021994;
const ELSEWHERE = 'Choose a directory that this machine and the nodes share, as below your home: --work-root DIR.';

const machine = ({fileSystem = {}, ...workRoot}: {path?: string; problem?: string; fileSystem?: object} = {}): MachineFacts => ({
	host: 'login',
	nodeVersion: 'v22.1.0',
	umask: 0o022,
	workRoot: {
		path: '/home/ada/.qmr',
		problem: undefined,
		fileSystem: {type: NFS, freeBytes: 5 * 2 ** 40, freeFiles: 1e6, ...fileSystem},
		...workRoot,
	},
});

const find = (facts: MachineFacts, check: string, hasScheduler = true): Finding | undefined =>
	checkMachine(facts, hasScheduler).find(finding => finding.check === check);

test('a machine on which nothing is to be said is well in every respect', () => {
	expect(checkMachine(machine(), true)).toEqual([
		{check: 'node', level: 'ok', found: 'Node v22.1.0'},
		{check: 'umask', level: 'ok', found: '0022'},
		{check: 'work root', level: 'ok', found: '/home/ada/.qmr (nfs)'},
		{
			check: 'space',
			level: 'ok',
			found: '5.0 TB and 1000000 files free for /home/ada/.qmr (a quota of yours is not seen by this)',
		},
	]);
});

test.each(['v18.20.0', 'v20.18.9', 'v19.99.0'])('Node %s is too old', nodeVersion => {
	expect(find({...machine(), nodeVersion}, 'node')).toEqual({
		check: 'node',
		level: 'error',
		found: `Node ${nodeVersion} is too old`,
		toDo: 'Install Node 20.19 or later, here and on the nodes.',
	});
});

test.each(['v20.19.0', 'v21.0.0', 'v24.3.1'])('Node %s is not too old', nodeVersion => {
	expect(find({...machine(), nodeVersion}, 'node')?.level).toBe('ok');
});

test('a umask that keeps the user from the files of tasks is warned of', () => {
	expect(find({...machine(), umask: 0o277}, 'umask')).toEqual({
		check: 'umask',
		level: 'warning',
		found: 'the umask 0277 takes your own rights away from files that tasks make',
		toDo: 'Set another one in your shell profile: umask 022.',
	});
});

test('a umask by which everybody may write is noted', () => {
	expect(find({...machine(), umask: 0}, 'umask')).toEqual({
		check: 'umask',
		level: 'note',
		found: 'with the umask 0000 everybody may write the files that tasks make (those of the work_dir are yours alone all the same)',
		toDo: 'Unless that is meant, set another one in your shell profile: umask 022.',
	});
});

test.each([0o002, 0o027, 0o077])('a usual umask is well', umask => {
	expect(find({...machine(), umask}, 'umask')?.level).toBe('ok');
});

describe('the work root', () => {
	test('where none can be made is an error, and its space is no matter then', () => {
		const facts = machine({problem: "EACCES: permission denied, access '/home/ada'"});
		expect(find(facts, 'work root')).toEqual({
			check: 'work root',
			level: 'error',
			found: "no work_dir can be made in /home/ada/.qmr: EACCES: permission denied, access '/home/ada'",
			toDo: ELSEWHERE,
		});
		expect(find(facts, 'space')).toBeUndefined();
	});

	test.each([
		['/home/ada/.qmr', TMPFS, 'tmpfs'],
		['/tmp/ada/.qmr', EXT4, 'ext4'],
		['/var/tmp', EXT4, 'ext4'],
		['/dev/shm/x', TMPFS, 'tmpfs'],
	])('in %s, which every machine has for itself, is warned of when there is a scheduler', (path, type, name) => {
		const facts = machine({path, fileSystem: {type}});
		expect(find(facts, 'work root')).toEqual({
			check: 'work root',
			level: 'warning',
			found: `${path} (${name}) is a place that every machine has for itself`,
			toDo: ELSEWHERE,
		});
		expect(find(facts, 'work root', false)).toEqual({check: 'work root', level: 'ok', found: `${path} (${name})`});
	});

	test.each([
		['/tmp/.qmr', EXT4, 'ext4'],
		['/dev/shm/x', TMPFS, 'tmpfs'],
		['/home/ada/.qmr', EXT4, 'ext4'],
	])('in %s, which another machine has seen all the same, is noted', (path, type, name) => {
		const findings = checkMachine(machine({path, fileSystem: {type}}), true, 'node7');
		expect(findings.find(({check}) => check === 'work root')).toEqual({
			check: 'work root',
			level: 'note',
			found: `${path} (${name}) is on this machine, and node7 sees it`,
			toDo: 'Nothing, if all nodes do.',
		});
	});

	test('on a file system that is shared is well, wherever that is mounted', () => {
		expect(find(machine({path: '/tmp/shared/.qmr'}), 'work root')).toEqual({
			check: 'work root',
			level: 'ok',
			found: '/tmp/shared/.qmr (nfs)',
		});
	});

	test('on a disk of this machine is noted when there is a scheduler', () => {
		const facts = machine({fileSystem: {type: EXT4}});
		expect(find(facts, 'work root')).toEqual({
			check: 'work root',
			level: 'note',
			found: '/home/ada/.qmr (ext4) is on a disk of this machine',
			toDo: `That is well if this machine serves it to the nodes. Otherwise: ${ELSEWHERE}`,
		});
		expect(find(facts, 'work root', false)?.level).toBe('ok');
	});

	test('on a file system that tells nothing of itself, or that is not known, is well until the round trip', () => {
		const {workRoot, ...rest} = machine();
		expect(checkMachine({...rest, workRoot: {...workRoot, fileSystem: undefined}}, true).slice(2)).toEqual([
			{check: 'work root', level: 'ok', found: '/home/ada/.qmr'},
		]);
		expect(find(machine({fileSystem: {type: 0x1234}}), 'work root')).toEqual({
			check: 'work root',
			level: 'ok',
			found: '/home/ada/.qmr (a file system of the type 0x1234)',
		});
	});
});

describe('space', () => {
	const toDo =
		'Remove what is not needed (`qmr ls` shows old work_dirs, `qmr clean` removes them), or choose another place: --work-root DIR.';

	test.each([
		[{freeBytes: 2 ** 20}, '1 MB and 1000000 files'],
		[{freeFiles: 0}, '5.0 TB and 0 files'],
	])('a full file system is an error', (fileSystem, free) => {
		expect(find(machine({fileSystem}), 'space')).toEqual({
			check: 'space',
			level: 'error',
			found: `the file system is full: ${free} free for /home/ada/.qmr`,
			toDo,
		});
	});

	test.each([
		[{freeBytes: 2 ** 29}, '512 MB and 1000000 files'],
		[{freeFiles: 5000}, '5.0 TB and 5000 files'],
	])('one that is nearly full is warned of', (fileSystem, free) => {
		expect(find(machine({fileSystem}), 'space')).toEqual({
			check: 'space',
			level: 'warning',
			found: `the file system is nearly full: ${free} free for /home/ada/.qmr`,
			toDo,
		});
	});

	test('a file system that counts no files, or no bytes, is judged by what it tells', () => {
		expect(find(machine({fileSystem: {freeFiles: undefined}}), 'space')?.found).toBe(
			'5.0 TB free for /home/ada/.qmr (a quota of yours is not seen by this)',
		);
		expect(find(machine({fileSystem: {freeBytes: undefined}}), 'space')).toBeUndefined();
	});
});

test.each([
	[0x47504653, 'gpfs', 'shared'],
	[0xff534d42, 'cifs', 'shared'],
	// As a signed number, too.
	[0xff534d42 | 0, 'cifs', 'shared'],
	[0x65735546, 'fuse', 'unknown'],
	[0x858458f6, 'ramfs', 'memory'],
	[0x794c7630, 'overlayfs', 'disk'],
])('a file system is known by its number %i', (type, name, kind) => {
	expect(describeFileSystem(type)).toEqual({name, kind});
});

test.each([
	[0, '0 bytes'],
	[1536, '2 kB'],
	[724 * 2 ** 20, '724 MB'],
	[1.5 * 2 ** 30, '1.5 GB'],
	[3 * 2 ** 40, '3.0 TB'],
])('%i bytes are %s', (bytes, text) => {
	expect(formatBytes(bytes)).toBe(text);
});

describe('what this machine is asked', () => {
	let directory: ReturnType<typeof createTestDirectory>;
	beforeEach(() => {
		directory = createTestDirectory();
	});
	afterEach(() => directory.remove());

	test('tells its own Node and umask, and of a work root that is not there yet the file system it would be on', async () => {
		const {workRoot, ...rest} = await readMachine({workRoot: join(directory.path, 'not', 'yet')});
		expect(rest).toEqual({host: hostname(), nodeVersion: process.version, umask: process.umask()});
		expect(workRoot).toMatchObject({path: join(directory.path, 'not', 'yet'), problem: undefined});
		expect(workRoot.fileSystem?.freeBytes).toBeGreaterThan(0);
	});

	test('says why no work_dir can be made: a file is in the way, or others could write there', async () => {
		writeFileSync(join(directory.path, 'file'), '');
		const inTheWay = await readMachine({workRoot: join(directory.path, 'file')});
		expect(inTheWay.workRoot.problem).toBe(`${join(directory.path, 'file')} is no directory`);
		const open = join(directory.path, 'open');
		mkdirSync(open);
		chmodSync(open, 0o777);
		const forAll = await readMachine({workRoot: join(open, '.qmr')});
		expect(forAll.workRoot.problem).toContain('where everybody may rename everything (mode 0777)');
	});
});
