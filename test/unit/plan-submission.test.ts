import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type Candidate, type Plan, type PlanLimits, planSubmission} from '../../src/plan-submission.js';

const NONE = Number.POSITIVE_INFINITY;

const FREE: PlanLimits = {numLiving: 0, maxQueuedJobs: NONE, maxConcurrentJobs: NONE, maxElements: 75_000};

const candidate = (ichunk: number, others: Partial<Candidate> = {}): Candidate => ({
	ichunk,
	attempt: 1,
	avoidHosts: [],
	resources: {},
	...others,
});

const chunks = (from: number, to: number): Candidate[] => Array.from({length: to - from + 1}, (_, i) => candidate(from + i));

/** `array 3-9 %2`, `jobs 1,4`, `held-back` */
const show = (plan: Plan<Candidate>): string => {
	if (plan.kind === 'held-back') return plan.kind;
	const numbers = plan.candidates.map(({ichunk}) => ichunk);
	if (plan.kind === 'jobs') return `jobs ${numbers.join(',')}`;
	return `array ${numbers[0]}-${numbers.at(-1)}${plan.maxRunning === undefined ? '' : ` %${plan.maxRunning}`}`;
};

const plan = (candidates: readonly Candidate[], limits: Partial<PlanLimits> = {}): string =>
	show(planSubmission(candidates, {...FREE, ...limits}));

describe('an array', () => {
	test.each<[what: string, candidates: readonly Candidate[], limits: Partial<PlanLimits>, planned: string]>([
		['is all chunks that follow each other', chunks(3, 9), {}, 'array 3-9'],
		['ends before a gap', [...chunks(3, 5), ...chunks(7, 9)], {}, 'array 3-5'],
		['goes before single chunks in front of it', [candidate(1), ...chunks(7, 9)], {}, 'array 7-9'],
		['is made of two chunks already', chunks(3, 4), {}, 'array 3-4'],
		['is not made of one', chunks(3, 3), {}, 'jobs 3'],
		['is not larger than the site allows', chunks(0, 9), {maxElements: 4}, 'array 0-3'],
		['is not made where there are none', chunks(0, 2), {maxElements: 1}, 'jobs 0,1,2'],
		['has one attempt number', [candidate(0), candidate(1), candidate(2, {attempt: 2})], {}, 'array 0-1'],
		['avoids no host', [candidate(0, {avoidHosts: ['node1']}), candidate(1, {avoidHosts: ['node1']}), candidate(2)], {}, 'jobs 0,1,2'],
		[
			'asks for the same resources throughout',
			[
				candidate(0, {resources: {memoryBytes: 1}}),
				candidate(1, {resources: {memoryBytes: 2}}),
				candidate(2, {resources: {memoryBytes: 2}}),
			],
			{},
			'array 1-2',
		],
		['has no more elements than there is room in the queue', chunks(0, 9), {maxQueuedJobs: 8, numLiving: 5}, 'array 0-2'],
		['is not made when there is room for one', chunks(0, 9), {maxQueuedJobs: 8, numLiving: 7}, 'jobs 0'],
		['is held to `maxConcurrentJobs` by the scheduler', chunks(0, 9), {maxConcurrentJobs: 3}, 'array 0-9 %3'],
		['need not be held to what it can not reach', chunks(0, 2), {maxConcurrentJobs: 3}, 'array 0-2'],
		['has both limits', chunks(0, 9), {maxConcurrentJobs: 3, maxQueuedJobs: 5}, 'array 0-4 %3'],
		['waits until nothing is beside it', chunks(0, 9), {maxConcurrentJobs: 3, numLiving: 1}, 'held-back'],
		['does not wait when all of it may run', chunks(0, 9), {maxConcurrentJobs: 12, numLiving: 2}, 'array 0-9'],
		['waits while single chunks go on', [...chunks(0, 9), candidate(20)], {maxConcurrentJobs: 3, numLiving: 1}, 'jobs 20'],
		['of which enough is left lets nothing beside it', [candidate(20)], {maxConcurrentJobs: 3, numLiving: 3}, 'held-back'],
	])('%s', (_, candidates, limits, planned) => {
		expect(plan(candidates, limits)).toBe(planned);
	});
});

describe('queue-jobs of their own', () => {
	test('are 32 at a time', () => {
		expect(planSubmission(chunks(0, 99), {...FREE, maxElements: 1})).toMatchObject({candidates: {length: 32}});
	});

	test('are read no further than need be: their resources are the user’s to compute', () => {
		let numRead = 0;
		const read = function* (): Iterable<Candidate> {
			for (const each of chunks(0, 999)) {
				numRead++;
				yield each;
			}
		};
		planSubmission(read(), {...FREE, maxElements: 1});
		expect(numRead).toBeLessThan(40);
		numRead = 0;
		planSubmission(read(), {...FREE, numLiving: 5, maxQueuedJobs: 5});
		expect(numRead).toBe(0);
	});

	test.each([
		[{maxQueuedJobs: 7, numLiving: 5}, 'jobs 0,1'],
		[{maxConcurrentJobs: 7, numLiving: 5}, 'jobs 0,1'],
		[{maxConcurrentJobs: 7, maxQueuedJobs: 6, numLiving: 5}, 'jobs 0'],
		[{maxQueuedJobs: 7, numLiving: 7}, 'held-back'],
		// The limit was larger when they were submitted.
		[{maxQueuedJobs: 7, numLiving: 20}, 'held-back'],
	])('are as many as there is room for: %j', (limits, planned) => {
		expect(plan(chunks(0, 9), {...limits, maxElements: 1})).toBe(planned);
	});
});

test('whatever there is, no limit is passed, no chunk is planned twice, and something is planned unless other queue-jobs live', () => {
	const limit = fc.oneof(fc.constant(NONE), fc.integer({min: 1, max: 12}));
	const anyCandidates = fc
		.uniqueArray(
			fc.record({
				ichunk: fc.nat(20),
				attempt: fc.integer({min: 1, max: 2}),
				avoidHosts: fc.constantFrom([], [], ['node1']),
				resources: fc.constantFrom({}, {}, {slots: 2}),
			}),
			{selector: ({ichunk}) => ichunk, minLength: 1},
		)
		.map(list => list.toSorted((a, b) => a.ichunk - b.ichunk));
	fc.assert(
		fc.property(
			anyCandidates,
			fc.record({numLiving: fc.nat(12), maxQueuedJobs: limit, maxConcurrentJobs: limit, maxElements: fc.integer({min: 1, max: 12})}),
			(candidates, limits) => {
				const planned = planSubmission(candidates, limits);
				if (planned.kind === 'held-back') {
					expect(limits.numLiving).toBeGreaterThan(0);
					return;
				}
				const {length} = planned.candidates;
				expect(new Set(planned.candidates).size).toBe(length);
				expect(candidates).toEqual(expect.arrayContaining([...planned.candidates]));
				expect(length).toBeGreaterThan(planned.kind === 'array' ? 1 : 0);
				expect(limits.numLiving + length).toBeLessThanOrEqual(limits.maxQueuedJobs);
				const mayRun = planned.kind === 'array' ? Math.min(length, planned.maxRunning ?? NONE) : length;
				expect(limits.numLiving + mayRun).toBeLessThanOrEqual(limits.maxConcurrentJobs);
				if (planned.kind === 'array') expect(length).toBeLessThanOrEqual(limits.maxElements);
			},
		),
	);
});
