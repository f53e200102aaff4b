import {chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {PoolError} from '../../src/errors.js';
import {realFiles} from '../../src/ports.js';
import {trustPath, trustWorkDir} from '../../src/trust-work-dir.js';

const makeDirectory = (): string => {
	const directory = realpathSync(mkdtempSync(join(tmpdir(), 'qmr-trust-')));
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	return directory;
};

const makeWorkDir = (mode = 0o700): string => {
	const workDir = join(makeDirectory(), 'run');
	mkdirSync(workDir);
	chmodSync(workDir, mode);
	return workDir;
};

const refusal = async (promise: Promise<void>): Promise<string> => {
	const error = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(PoolError);
	expect(error).toMatchObject({code: 'ERR_POOL_WORK_DIR', workDir: expect.stringMatching(/^\//)});
	return (error as PoolError).message;
};

describe('a work_dir is trusted', () => {
	test.each([0o700, 0o755, 0o500])('when nobody but its owner may write it: mode %o', async mode => {
		await trustWorkDir(makeWorkDir(mode));
	});

	test('also by a path with a slash at its end, or a relative one', async () => {
		const workDir = makeWorkDir();
		await trustWorkDir(`${workDir}/`);
		await trustWorkDir(`${workDir}/../run/.`);
	});
});

describe('a work_dir is refused', () => {
	test.each([
		[0o770, '0770'],
		[0o702, '0702'],
		[0o777, '0777'],
		[0o1777, '1777'],
	])('when others may write it: mode %o', async (mode, got) => {
		const workDir = makeWorkDir(mode);
		const message = await refusal(trustWorkDir(workDir));
		expect(message).toContain(`Expected the work_dir ${workDir} to be writable by nobody but its owner, got mode ${got}. `);
	});

	test('when it is a symbolic link, with or without a slash at its end', async () => {
		const workDir = makeWorkDir();
		const link = join(makeDirectory(), 'link');
		symlinkSync(workDir, link);
		for (const path of [link, `${link}/`, `${link}//.`]) {
			const message = await refusal(trustWorkDir(path));
			expect(message).toBe(
				`Expected the work_dir ${link} to be a directory, got a symbolic link to ${workDir}. Name the directory itself.`,
			);
		}
		symlinkSync('/nonexistent', `${link}2`);
		expect(await refusal(trustWorkDir(`${link}2`))).toContain('got a symbolic link to nowhere');
	});

	test('when it is a file, or nothing', async () => {
		const directory = makeDirectory();
		writeFileSync(join(directory, 'file'), '');
		expect(await refusal(trustWorkDir(join(directory, 'file')))).toContain('to be a directory, got a file. ');
		expect(await refusal(trustWorkDir(join(directory, 'none')))).toContain('to be a directory, got nothing there. ');
		expect(await refusal(trustWorkDir(join(directory, 'file/inner')))).toContain('to be a directory, got ENOTDIR');
	});

	test('when everybody may rename it: a directory above it is open and has no sticky bit', async () => {
		const workDir = makeWorkDir();
		chmodSync(join(workDir, '..'), 0o777);
		expect(await refusal(trustWorkDir(workDir))).toContain(
			`got ${join(workDir, '..')}, where everybody may rename everything (mode 0777). `,
		);
		chmodSync(join(workDir, '..'), 0o1777);
		await trustWorkDir(workDir);
	});
});

describe('a path is trusted', () => {
	test('through links of one’s own, through groups’ directories, and where nothing is yet', async () => {
		const directory = makeDirectory();
		mkdirSync(join(directory, 'group'));
		chmodSync(join(directory, 'group'), 0o2775);
		symlinkSync(join(directory, 'group'), join(directory, 'link'));
		symlinkSync('link', join(directory, 'link-to-link'));
		for (const path of ['', 'none/of/this', 'group', 'group/none', 'link', 'link/none', 'link-to-link/none'])
			await trustPath(join(directory, path));
		await trustPath('/');
	});

	test('but not through a link to an open directory; a link to nowhere is for whoever makes the directory', async () => {
		const directory = makeDirectory();
		mkdirSync(join(directory, 'open'));
		chmodSync(join(directory, 'open'), 0o777);
		symlinkSync('open', join(directory, 'link'));
		expect(await refusal(trustPath(join(directory, 'link/none')))).toContain(`${join(directory, 'open')}, where everybody may rename`);
		symlinkSync('nowhere', join(directory, 'dangling'));
		symlinkSync('circle', join(directory, 'circle'));
		for (const path of ['dangling/x', 'circle/x']) await trustPath(join(directory, path));
	});
});

test('no file of a work_dir is read, made or appended to through a symbolic link', async () => {
	const directory = makeDirectory();
	const target = join(directory, 'target');
	writeFileSync(target, 'theirs');
	for (const name of ['target', 'missing']) {
		const link = join(directory, `link-to-${name}`);
		symlinkSync(name, link);
		await expect(realFiles.openSource(link)).rejects.toMatchObject({code: 'ELOOP'});
		await expect(realFiles.append(link, 'ours', {durable: false})).rejects.toMatchObject({code: 'ELOOP'});
		await expect(realFiles.create(link, [[Buffer.from('ours')]])).rejects.toMatchObject({code: 'EEXIST'});
	}
	expect(await realFiles.list(directory)).not.toContain('missing');
	const source = await realFiles.openSource(target);
	expect((await source.read(0, source.size)).toString()).toBe('theirs');
	await source.close();
});
