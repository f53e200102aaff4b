import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {Engine, SubmitOutcome} from '../../src/engines/engine.js';
import {PoolError} from '../../src/errors.js';
import {maskEngine} from '../../src/mask-engine.js';
import {createMask, maskData} from '../../src/mask-environment.js';

const mask = (text: string, environment: Record<string, string | undefined>, ...there: string[]): string =>
	createMask(environment, path => there.includes(path))(text);

describe('a value of the environment', () => {
	test('is told by its name, wherever it stands, as often as it does', () => {
		expect(mask('a=s3cr3t&b=s3cr3t', {DEPLOY: 's3cr3t'})).toBe('a=${DEPLOY}&b=${DEPLOY}');
		expect(mask('-ps3cr3t s3cr3t', {DEPLOY: 's3cr3t'})).toBe('-p${DEPLOY} ${DEPLOY}');
		expect(mask('', {DEPLOY: 's3cr3t'})).toBe('');
	});

	test('of less than six characters is left, for it is in ordinary words', () => {
		expect(mask('true 12345 123456', {A: 'true', B: '12345', C: '123456'})).toBe('true 12345 ${C}');
		expect(mask('a b', {A: ' a     ', B: undefined, C: ''})).toBe('a b');
	});

	test('that is a part of another one does not spoil the mask of the whole', () => {
		const environment = {SHORT: 'secret', LONG: 'my-secret-2', NAME_OF_SHORT: '$SHORT'};
		expect(mask('my-secret-2 secret $SHORT', environment)).toBe('${LONG} ${SHORT} ${NAME_OF_SHORT}');
	});

	test('is found without the newline that it was read from a file with', () => {
		expect(mask('key s3cr3t.', {DEPLOY: 's3cr3t\n'})).toBe('key ${DEPLOY}.');
	});

	test('may be any text: nothing in it is a pattern, and `$&` is none either', () => {
		expect(mask('x (.*+?)[$&] y', {A: '(.*+?)[$&]'})).toBe('x ${A} y');
	});

	test.each([
		...['HOME', 'PATH', 'USER', 'SHELL', 'LANG', 'LC_ALL', 'TERM', 'TERM_PROGRAM', 'TZ', 'NODE_ENV', 'npm_lifecycle_event', 'XDG_SEAT'],
		...['PWD', 'TMPDIR', 'HOSTNAME', 'SGE_CELL', 'JOB_NAME', 'SLURM_JOB_ID'],
	])('%s is no secret', name => {
		expect(mask('a ordinary b', {[name]: 'ordinary'})).toBe('a ordinary b');
	});

	test.each([
		...['npm_config__authToken', 'npm_config__password', 'XDG_SECRET', 'SLURM_JWT_TOKEN', 'NODE_AUTH_TOKEN', 'VITEST_API_KEY'],
		...['GITHUB_TOKEN', 'DB', 'pass', 'A.B', '1X'],
	])('%s is one', name => {
		expect(mask('a s3cr3t b', {[name]: 's3cr3t'})).toBe(`a \${${name}} b`);
	});

	test('that is the path of a file is left, for what is written must lead there; one that looks like a path is not', () => {
		expect(mask('/scratch/ada/run', {SCRATCH: '/scratch/ada'}, '/scratch/ada')).toBe('/scratch/ada/run');
		expect(mask('/wJalrXUtnFEMI', {KEY_ID: '/wJalrXUtnFEMI'})).toBe('${KEY_ID}');
		expect(mask('scratch', {NAME: 'scratch'}, 'scratch')).toBe('${NAME}');
		expect(mask('/run/agent.1', {API_TOKEN: '/run/agent.1'}, '/run/agent.1')).toBe('${API_TOKEN}');
	});

	test('is never left in a text, and a text that holds none stays as it is', () => {
		const secret = fc.stringMatching(/^[a-z0-9]{6,12}$/);
		fc.assert(
			fc.property(fc.dictionary(fc.stringMatching(/^[A-F]{1,3}$/), secret), fc.array(fc.string()), (environment, texts) => {
				const secrets = Object.values(environment);
				const text = texts.map((between, i) => between + (secrets[i % secrets.length] ?? '')).join('');
				const masked = mask(text, environment);
				for (const value of secrets) expect(masked).not.toContain(value);
				if (!secrets.some(value => text.includes(value))) expect(masked).toBe(text);
			}),
		);
	});
});

test('in plain data every text is masked, and nothing else is changed', () => {
	const data = {name: ['s3cr3t', {deep: 'x s3cr3t'}], number: 5, none: null, not: undefined, s3cr3t: true};
	expect(maskData(data, createMask({DEPLOY: 's3cr3t'}))).toEqual({
		name: ['${DEPLOY}', {deep: 'x ${DEPLOY}'}],
		number: 5,
		none: null,
		not: undefined,
		s3cr3t: true,
	});
});

describe('an engine', () => {
	const engine: Engine = {
		name: 'grid-engine',
		statusCost: 'call',
		outlivesProcess: true,
		maxDefaultChunks: 7,
		submit: async () => [{kind: 'submitted', id: 's3cr3t'}, ...(['temporary', 'full', 'permanent', 'unanswered'] as const).map(refuse)],
		status: async () => {
			throw new Error('qstat: -v X=s3cr3t', {cause: 's3cr3t'});
		},
		remove: async () => {
			throw new PoolError('ERR_POOL_PROGRAM_MISSING', 'no s3cr3t', {cause: 's3cr3t', workDir: '/w'});
		},
		explain: async ({id}) => (id === '1' ? {failed: true, kind: 'killed', reason: 'by s3cr3t', host: 'node1'} : undefined),
	};
	const refuse = (kind: 'temporary' | 'full' | 'permanent' | 'unanswered'): SubmitOutcome => ({kind, reason: 'unknown option s3cr3t'});
	const masked = maskEngine(engine, createMask({DEPLOY: 's3cr3t'}));
	const question = {name: 'q', state: 'ended', resources: {}} as const;

	test('is the same but for its words', async () => {
		expect(masked).toMatchObject({name: 'grid-engine', statusCost: 'call', maxDefaultChunks: 7});
		const [submitted, ...refused] = await masked.submit([]);
		expect(submitted).toEqual({kind: 'submitted', id: 's3cr3t'});
		expect(refused.map(outcome => 'reason' in outcome && outcome.reason)).toEqual(Array(4).fill('unknown option ${DEPLOY}'));
		expect(await masked.explain({...question, id: '1'})).toEqual({failed: true, kind: 'killed', reason: 'by ${DEPLOY}', host: 'node1'});
		expect(await masked.explain({...question, id: '2'})).toBeUndefined();
	});

	test('rejects in words that hold no secret, and without the cause that does', async () => {
		await expect(masked.status()).rejects.toSatisfy(error => error.message === 'qstat: -v X=${DEPLOY}' && error.cause === undefined);
		await expect(masked.remove([])).rejects.toSatisfy(
			error =>
				error instanceof PoolError &&
				error.message === 'no ${DEPLOY}' &&
				error.code === 'ERR_POOL_PROGRAM_MISSING' &&
				error.workDir === '/w' &&
				error.cause === undefined,
		);
	});

	test('rejects with the very error that holds none', async () => {
		const error = new PoolError('ERR_POOL_PROGRAM_MISSING', 'no qstat', {cause: 'ENOENT'});
		await expect(maskEngine({...engine, status: () => Promise.reject(error)}, createMask({})).status()).rejects.toBe(error);
	});
});
