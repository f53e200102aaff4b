import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {Pool} from 'queue-map-reduce';
import {describe, expect, test} from 'vitest';
import {type Config, withConfig} from '../../src/config.js';
import {PoolError} from '../../src/errors.js';
import type {PoolOptions} from '../../src/options.js';
import {makeTemporaryDirectory} from '../helpers/dummy-queue.js';
import {withVariables} from '../helpers/variables.js';

/** A home and a project of this test's own. */
const makePlace = () => {
	const root = makeTemporaryDirectory();
	const home = join(root, 'home');
	const cwd = join(root, 'project', 'deep', 'down');
	mkdirSync(join(home, '.config'), {recursive: true});
	mkdirSync(cwd, {recursive: true});
	const write = (path: string, content: unknown, mode = 0o644): string => {
		const file = join(root, path);
		mkdirSync(dirname(file), {recursive: true});
		writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
		chmodSync(file, mode);
		return file;
	};
	const read = (options: PoolOptions = {}, env: NodeJS.ProcessEnv = {}): Config =>
		withConfig(options, {cwd, home, env, site: join(root, 'etc')});
	const refusal = (): PoolError => {
		try {
			read();
		} catch (error) {
			if (error instanceof PoolError) return error;
			throw error;
		}
		throw new Error('It was not refused.');
	};
	return {root, cwd, write, read, refusal};
};

describe('H7: what a configuration says', () => {
	test('holds for what the program leaves open, the user wins over the site, and the project over both', () => {
		const {write, read} = makePlace();
		const site = write('etc/qmr.config.json', {queueName: 'site.q', message: 'of the site', engine: 'local'});
		const user = write('home/.config/qmr.config.json', {queueName: 'user.q', numChunks: 3, message: 'of the user'});
		const project = write('project/qmr.config.json', {queueName: 'project.q', numChunks: 5});
		expect(read({numChunks: 7})).toEqual({
			options: {queueName: 'project.q', numChunks: 7, message: 'of the user', engine: 'local'},
			configFiles: [site, user, project],
		});
	});

	test('of projects the nearest one upwards counts, and no other', () => {
		const {write, read} = makePlace();
		write('project/qmr.config.json', {message: 'far', queueName: 'far.q'});
		const near = write('project/deep/qmr.config.json', {message: 'near'});
		expect(read()).toEqual({options: {message: 'near'}, configFiles: [near]});
	});

	test('of the user is where XDG_CONFIG_HOME says, if that is a whole path', () => {
		const {root, write, read} = makePlace();
		const home = write('home/.config/qmr.config.json', {message: 'at home'});
		const elsewhere = write('elsewhere/qmr.config.json', {message: 'elsewhere'});
		expect(read({}, {XDG_CONFIG_HOME: join(root, 'elsewhere')}).configFiles).toEqual([elsewhere]);
		expect(read({}, {XDG_CONFIG_HOME: 'elsewhere'}).configFiles).toEqual([home]);
	});

	test('counts once when the project is the user’s own directory', () => {
		const {root, write} = makePlace();
		const file = write('home/.config/qmr.config.json', {message: 'one'});
		const at = {cwd: join(root, 'home', '.config'), home: join(root, 'home'), env: {}, site: join(root, 'etc')};
		expect(withConfig({}, at).configFiles).toEqual([file]);
	});

	test('is nothing where no file is', () => {
		expect(makePlace().read({numChunks: 2})).toEqual({options: {numChunks: 2}, configFiles: []});
	});

	test('can be switched off by the option and by the variable', () => {
		const {write, read} = makePlace();
		write('project/qmr.config.json', {message: 'of the project'});
		expect(read({config: false})).toEqual({options: {config: false}, configFiles: []});
		expect(read({}, {QMR_CONFIG: 'off'})).toEqual({options: {}, configFiles: []});
		expect(read({}, {QMR_CONFIG: 'on'}).configFiles).toHaveLength(1);
	});

	test('of a relative workRoot is meant from its own directory', () => {
		const {root, write, read} = makePlace();
		write('project/qmr.config.json', {workRoot: 'scratch'});
		expect(read().options.workRoot).toBe(join(root, 'project', 'scratch'));
		expect(read({workRoot: 'mine'}).options.workRoot).toBe('mine');
	});
});

describe('a configuration is refused', () => {
	test.each([
		['that its group may write', 0o664],
		['that everybody may write', 0o646],
	])('%s', (_, mode) => {
		const {write, refusal} = makePlace();
		const file = write('project/qmr.config.json', {message: 'whose?'}, mode);
		expect(refusal()).toMatchObject({code: 'ERR_POOL_OPTION'});
		expect(refusal().message).toContain(`${file}: Expected a file of yours or of root that nobody else may write: chmod go-w.`);
	});

	test('that is a directory', () => {
		const {root, write, refusal} = makePlace();
		write('project/qmr.config.json/file', {});
		expect(refusal().message).toContain(`${join(root, 'project/qmr.config.json')}: Expected a file, and that is none.`);
	});

	test.each([
		['that is no JSON', '{numChunks: 3}', /Expected JSON/],
		['that is no object', '[1]', /Expected/],
		['with an option that there is not', {numChunk: 3}, /numChunks/],
		['with a value that can’t be', {numChunks: 0}, /numChunks.*got 0/],
		['with what is for one map', {workDir: 'here'}, /`workDir`, which is for one/],
		['with a work_dir to go on with', {resume: 'there'}, /`resume`, which is for one/],
	])('%s, and names itself and the way out', (_, content, message) => {
		const {write, refusal} = makePlace();
		const file = write('project/qmr.config.json', content);
		expect(refusal().message).toMatch(message);
		expect(refusal().message.startsWith(`${file}: `)).toBe(true);
		expect(refusal().message).toContain('QMR_CONFIG=off');
	});
});

describe('D10: a map', () => {
	test('of `new Pool()` is as the file says, which run.json names and nobody changes', async () => {
		const root = makeTemporaryDirectory();
		const file = join(root, 'qmr.config.json');
		const content = JSON.stringify({engine: 'local', slots: 1, message: 'from the file', keepWorkDir: true, workRoot: 'runs'});
		writeFileSync(file, content, {mode: 0o600});
		const run = await withVariables({XDG_CONFIG_HOME: root, QMR_CONFIG: undefined}, async () => {
			const started = await new Pool({tags: ['own']}).submit(Math.sqrt, [1, 4]);
			expect(await started.results()).toEqual([1, 2]);
			return started;
		});
		const manifest = JSON.parse(readFileSync(join(run.workDir, 'run.json'), 'utf8'));
		expect(manifest).toMatchObject({message: 'from the file', tags: ['own'], engine: 'local', options: {slots: 1, keepWorkDir: true}});
		expect(manifest.configFiles).toContain(file);
		expect(dirname(run.workDir)).toBe(join(root, 'runs'));
		expect(readFileSync(file, 'utf8')).toBe(content);
	});
});
