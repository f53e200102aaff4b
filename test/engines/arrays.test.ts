/** Arrays of a real Grid Engine, as the engine sees them: their elements are listed, removed and explained one by one. */
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {chooseEngine} from '../../src/choose-engine.js';
import type {ArrayJobs, ArrayRequest, Engine, JobEnd, JobQuestion, JobStatus} from '../../src/engines/engine.js';
import type {PoolOptions} from '../../src/options.js';
import {call, deleteJobs} from '../helpers/grid-engine.js';

/** Names that no other run of these tests has. */
const RUN = `a${process.pid}-${Date.now().toString(36)}`;

let directory: string;
let numArrays = 0;
const submitted: string[] = [];

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'qmr-arrays-'));
});
afterEach(async () => {
	await deleteJobs(submitted.splice(0));
	rmSync(directory, {recursive: true, force: true});
});

type Submitted = {readonly engine: Engine; readonly id: string; readonly name: string};

/** Submits an array of these lines for a shell; `$1` is a directory that all nodes share. */
const submit = async (lines: string, request: Partial<ArrayRequest> = {}, options: PoolOptions = {}): Promise<Submitted> => {
	const {engine} = await chooseEngine({engine: 'grid-engine', ...options});
	const name = `${RUN}.${++numArrays}`;
	const script = join(directory, `${name}.sh`);
	writeFileSync(script, `${lines}\n`);
	const outcome = await arraysOf(engine).submit({
		...{name, script, scriptArguments: [directory], avoidHosts: [], resources: {}, numElements: 5, maxRunning: undefined},
		...request,
	});
	expect(outcome).toEqual({kind: 'submitted', id: expect.stringMatching(/^\d+$/)});
	const {id} = outcome as {id: string};
	submitted.push(id);
	return {engine, id, name};
};

const arraysOf = ({arrays}: Engine): ArrayJobs => {
	if (arrays === undefined) throw new Error('an engine without arrays');
	return arrays;
};

const elementsOf = async ({engine, name}: Submitted): Promise<JobStatus[]> => (await engine.status()).filter(job => job.name === name);

/** Waits until its living elements are in these states, as `{1: 'running', 2: 'error'}`. */
const untilStates = (array: Submitted, states: Readonly<Record<number, string>>): Promise<readonly JobStatus[]> =>
	vi.waitFor(
		async () => {
			const jobs = await elementsOf(array);
			expect(Object.fromEntries(jobs.map(({element, state}) => [element, state]))).toEqual(states);
			return jobs;
		},
		{timeout: 90_000, interval: 300},
	);

const question = ({engine, id, name}: Submitted, element: number, state: JobQuestion['state']): JobQuestion => ({
	...{id: arraysOf(engine).elementId(id, element), name, state, resources: {}},
});

/** What is said of its end, once the accounting knows of it. */
const endOf = (array: Submitted, element: number): Promise<JobEnd> =>
	vi.waitUntil(() => array.engine.explain(question(array, element, 'ended')), {timeout: 60_000, interval: 500});

const files = (): string[] => readdirSync(directory).filter(name => /^\d+$/.test(name));

describe('an array', () => {
	test('runs its script once for each element, which finds its number', async () => {
		const array = await submit('printf "%s %s" "$SGE_TASK_ID" "$2" > "$1/$SGE_TASK_ID"', {scriptArguments: [directory, 'SGE_TASK_ID']});
		expect(arraysOf(array.engine).elementVariable).toBe('SGE_TASK_ID');
		await untilStates(array, {});
		expect(files().sort()).toEqual(['1', '2', '3', '4', '5']);
		for (const name of files()) expect(readFileSync(join(directory, name), 'utf8')).toBe(`${name} SGE_TASK_ID`);
		expect(await endOf(array, 3)).toMatchObject({failed: false, reason: 'exit status 0'});
	});

	test('of which some elements were removed has the others left, and is listed with gaps', async () => {
		const array = await submit('exit 0', {numElements: 9}, {qsubArgs: ['-h']});
		const {engine, id, name} = array;
		const {elementId} = arraysOf(engine);
		const expected = (elements: readonly number[]) =>
			elements.map(element => ({id: elementId(id, element), name, element, state: 'held', rawState: 'hqw'}));
		expect(await elementsOf(array)).toEqual(expected([1, 2, 3, 4, 5, 6, 7, 8, 9]));
		await engine.remove([2, 4, 6, 7].map(element => elementId(id, element)));
		await untilStates(array, {1: 'held', 3: 'held', 5: 'held', 8: 'held', 9: 'held'});
		expect(await elementsOf(array)).toEqual(expected([1, 3, 5, 8, 9]));
		expect(await call('qstat', ['-xml', '-u', '*'])).toContain('<tasks>1-5:2,8,9</tasks>');
		// Some of these are gone already, and one was never there.
		await engine.remove([1, 2, 3, 4, 8, 10].map(element => elementId(id, element)));
		await untilStates(array, {5: 'held', 9: 'held'});
	});

	test('has no more elements running than asked for; the others wait, and why is told', async () => {
		const array = await submit('until test -e "$1/go"; do sleep 0.2; done', {maxRunning: 2});
		const {engine, id} = array;
		const running = await untilStates(array, {1: 'running', 2: 'running', 3: 'pending', 4: 'pending', 5: 'pending'});
		expect(running.map(({host}) => host !== undefined)).toEqual([true, true, false, false, false]);
		await vi.waitFor(async () => expect(await engine.explain(question(array, 4, 'pending'))).toMatchObject({failed: false}), {
			...{timeout: 90_000, interval: 500},
		});
		// One that runs and one that waits, in one call.
		await engine.remove([2, 3].map(element => arraysOf(engine).elementId(id, element)));
		await untilStates(array, {1: 'running', 4: 'running', 5: 'pending'});
		expect(await endOf(array, 2)).toMatchObject({failed: true, kind: 'killed'});
		writeFileSync(join(directory, 'go'), '');
		await untilStates(array, {});
	});

	test('tells of each element how it ended', async () => {
		const array = await submit('case $SGE_TASK_ID in 2) exit 3;; 3) kill -9 $$;; esac', {numElements: 3});
		await untilStates(array, {});
		expect(await endOf(array, 1)).toMatchObject({failed: false, reason: 'exit status 0'});
		expect(await endOf(array, 2)).toMatchObject({failed: true, reason: 'exit status 3'});
		expect(await endOf(array, 3)).toMatchObject({failed: true, kind: 'killed'});
		expect(await array.engine.explain(question(array, 4, 'ended'))).toBeUndefined();
	});

	test('tells of each element why it is in an error state, and on which host', async () => {
		for (const element of [1, 3]) mkdirSync(join(directory, `out.${element}`));
		const array = await submit('exit 0', {numElements: 4}, {qsubArgs: ['-o', `${directory}/out.$TASK_ID/x`]});
		await untilStates(array, {2: 'error', 4: 'error'});
		for (const element of [2, 4]) {
			const reason = `error: can't open output file "${directory}/out.${element}/x": No such file or directory`;
			const explain = () => array.engine.explain(question(array, element, 'error'));
			expect(await explain()).toMatchObject({failed: true, isPermanent: true, reason});
			// The accounting is written a moment later.
			await vi.waitFor(async () => expect(await explain()).toMatchObject({reason, host: expect.any(String)}), {
				...{timeout: 90_000, interval: 500},
			});
		}
		expect(await array.engine.explain(question(array, 1, 'error'))).toBeUndefined();
		await array.engine.remove([arraysOf(array.engine).elementId(array.id, 2)]);
		await untilStates(array, {4: 'error'});
	});

	test('is as long as the site allows, and no longer', async () => {
		const {engine} = await chooseEngine({engine: 'grid-engine'});
		const maxElements = await arraysOf(engine).maxElements();
		expect(maxElements).toBe(Number(/^max_aj_tasks\s+(\d+)/m.exec(await call('qconf', ['-sconf']))?.[1]));
		const script = join(directory, 'long.sh');
		writeFileSync(script, 'exit 0\n');
		const outcome = await arraysOf(engine).submit({
			...{name: `${RUN}.long`, script, scriptArguments: [], avoidHosts: [], resources: {}},
			...{numElements: maxElements + 1, maxRunning: undefined},
		});
		expect(outcome).toMatchObject({kind: 'full', reason: expect.stringContaining(`more than ${maxElements} tasks`)});
	});
});
