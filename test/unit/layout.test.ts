import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {
	type AttemptFileKind,
	arrayName,
	attemptPath,
	chunkName,
	createSession,
	elementOf,
	jobKey,
	jobName,
	parseChunkFile,
	parseJobName,
	taskDirPath,
	tasksPath,
} from '../../src/layout.js';

const SESSION = '2026-11-21T00-20-07_a10cda';
const KINDS: readonly AttemptFileKind[] = ['part', 'out', 'o', 'e'];

const ichunks = fc.oneof(fc.nat(), fc.nat(Number.MAX_SAFE_INTEGER));
const attempts = fc.integer({min: 1, max: 100_000});

describe('names of queue-jobs', () => {
	test('A12d: the index of a chunk comes back from the name, also one of more than 9 digits', () => {
		for (let i = 0; i < 1000; i++) {
			const ichunk = i * (10 ** 9 + 10 ** 6 + 10 ** 3 + 1);
			expect(parseJobName(SESSION, jobName(SESSION, ichunk, 7))).toEqual({first: ichunk, last: ichunk, attempt: 7});
		}
	});

	test('Q7: read q<session>#<ichunk>.<attempt>', () => {
		expect(jobName(SESSION, 13, 2)).toBe('q2026-11-21T00-20-07_a10cda#000000013.2');
	});

	test('W24: are names that Grid Engine takes', () => {
		fc.assert(
			fc.property(ichunks, attempts, (ichunk, attempt) => {
				const name = jobName(SESSION, ichunk, attempt);
				expect(name).toMatch(/^[A-Za-z][A-Za-z0-9_.#-]{0,511}$/);
				expect(parseJobName(SESSION, name)).toEqual({first: ichunk, last: ichunk, attempt});
			}),
		);
	});

	test('of arrays read q<session>#<first ichunk>-<last ichunk>.<attempt>', () => {
		expect(arrayName(SESSION, 13, 20, 2)).toBe('q2026-11-21T00-20-07_a10cda#000000013-000000020.2');
	});

	test('of arrays tell which chunks they are for, and which element is whose', () => {
		fc.assert(
			fc.property(fc.nat(), fc.integer({min: 1, max: 100_000}), attempts, fc.nat(), (first, numMore, attempt, nth) => {
				const last = first + numMore;
				const name = arrayName(SESSION, first, last, attempt);
				expect(name).toMatch(/^[A-Za-z][A-Za-z0-9_.#-]{0,511}$/);
				expect(parseJobName(SESSION, name)).toEqual({first, last, attempt});
				const element = (nth % (numMore + 1)) + 1;
				expect(elementOf(SESSION, name, first + element - 1)).toBe(element);
			}),
		);
		expect(elementOf(SESSION, jobName(SESSION, 13, 2), 13)).toBeUndefined();
	});

	test('tell two elements of one array apart, and an element from a queue-job of its own', () => {
		const name = arrayName(SESSION, 0, 1, 1);
		expect(new Set([jobKey(name, 1), jobKey(name, 2), jobKey(name, undefined)]).size).toBe(3);
	});

	test.each([
		`q${SESSION}#000000013-000000013.1`,
		`q${SESSION}#000000013-000000012.1`,
		`q${SESSION}#13-14.1`,
		`q${SESSION}#000000013-.1`,
		`q${SESSION}#000000013-000000014`,
		`q${SESSION}#000000013-000000014-000000015.1`,
		'',
		'q',
		SESSION,
		`q${SESSION}`,
		`q${SESSION}#`,
		`q${SESSION}#000000013`,
		`q${SESSION}#000000013.`,
		`q${SESSION}#000000013.0`,
		`q${SESSION}#000000013.01`,
		`q${SESSION}#000000013.1x`,
		`q${SESSION}#000000013.1\n`,
		`q${SESSION}#13.1`,
		`q${SESSION}#0000000013.1`,
		`q${SESSION}#-00000013.1`,
		`xq${SESSION}#000000013.1`,
		`q2026-11-21T00-20-07_a10cdb#000000013.1`,
		`q${SESSION}0#000000013.1`,
	])('a name that is not of this session is not ours: %j', name => {
		expect(parseJobName(SESSION, name)).toBeUndefined();
	});
});

describe('file names', () => {
	test('Q8: are those of the documentation', () => {
		expect(tasksPath('/w', 13)).toBe('/w/000000013.tasks');
		expect(KINDS.map(kind => attemptPath('/w', 13, 2, kind))).toEqual([
			'/w/000000013.2.part',
			'/w/000000013.2.out',
			'/w/000000013.2.o',
			'/w/000000013.2.e',
		]);
		expect(taskDirPath('/w', 441, 2)).toBe('/w/tasks/441.2');
	});

	test('come back from what they are made of', () => {
		fc.assert(
			fc.property(ichunks, attempts, fc.constantFrom(...KINDS), (ichunk, attempt, kind) => {
				expect(parseChunkFile(attemptPath('', ichunk, attempt, kind))).toEqual({ichunk, attempt, kind});
				expect(parseChunkFile(tasksPath('', ichunk))).toEqual({ichunk, kind: 'tasks'});
			}),
		);
	});

	test('sort as chunks do', () => {
		const names = [0, 9, 10, 99, 100, 12_345, 999_999_999].map(chunkName);
		expect(names.toSorted()).toEqual(names);
	});

	test.each([
		...['run.json', 'log.jsonl', 'launch.sh', 'environment.sh', 'environment.json', 'worker_node_script.cjs', 'tasks', ''],
		...['13.tasks', '000000013', '000000013.', '000000013.out', '000000013.1', '000000013.1.', '000000013.1.log', '000000013.tasks.part'],
		...['000000013.1.out.gz', '.000000013.1.out', '000000013.1.out~', '000000013.-1.out', '000000013.1.OUT', '000000013.1.out\n'],
		// Nothing of ours is called so: two names of one attempt would be two results.
		...['000000013.0.out', '000000013.01.out', '0000000013.1.out', '0000000013.tasks'],
	])('a file that belongs to no chunk is left alone: %j', name => {
		expect(parseChunkFile(name)).toBeUndefined();
	});
});

describe('sessions', () => {
	test('Q6, W13, X8: read as UTC time and 24 random bits', () => {
		expect(createSession(Date.UTC(2026, 10, 21, 0, 20, 7, 999), Uint8Array.of(0xa1, 0x0c, 0xda, 0xff))).toBe(SESSION);
		expect(createSession(0, Uint8Array.of(0, 0, 1))).toBe('1970-01-01T00-00-00_000001');
	});
});
