import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync} from 'node:fs';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {createTestDirectory} from '../helpers/engines.js';

test('a work_dir that can’t be removed is kept and named, and takes no result away', () => {
	const {path: directory, remove} = createTestDirectory();
	onTestFinished(() => {
		if (existsSync(readOnly)) chmodSync(readOnly, 0o700);
		remove();
	});
	const workDir = join(directory, 'run');
	const readOnly = join(workDir, 'read-only');
	const script = `
		const {Pool} = await import(${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url))});
		const workDir = ${JSON.stringify(workDir)};
		const unpack = async directory => {
			const {chmodSync, mkdirSync, writeFileSync} = await import('node:fs');
			mkdirSync(directory);
			writeFileSync(directory + '/file', '');
			chmodSync(directory, 0o500);
			return 7;
		};
		console.log(await new Pool({engine: 'local', workDir}).map(unpack, [workDir + '/read-only']));`;
	const node = [process.execPath, '--input-type=module', '-e', script];
	// Root passes by all permissions, unless this right is taken away.
	const rights = '-dac_override,-dac_read_search';
	const [program, ...args] = process.getuid?.() === 0 ? ['setpriv', `--inh-caps=${rights}`, `--bounding-set=${rights}`, ...node] : node;
	const {stdout, stderr, status} = spawnSync(program as string, args, {cwd: directory, encoding: 'utf8'});
	expect([stdout, status]).toEqual(['[ 7 ]\n', 0]);
	expect(stderr).toMatch(/the work_dir is kept, for it can't be removed \(EACCES.*\): .*\/run\n$/);
	expect(existsSync(join(readOnly, 'file'))).toBe(true);
});
