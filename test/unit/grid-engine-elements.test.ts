import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {formatElementId, groupIds, parseElementId, parseElements} from '../../src/engines/grid-engine-elements.js';

test.each([
	['2', [2]],
	['3-5:1', [3, 4, 5]],
	['1-5:2', [1, 3, 5]],
	['3-5', [3, 4, 5]],
	['2,4,6-8:1,17-20:1', [2, 4, 6, 7, 8, 17, 18, 19, 20]],
	['8-16:2,20', [8, 10, 12, 14, 16, 20]],
	['32,33,35-39:2', [32, 33, 35, 37, 39]],
])('the list %s is these elements: %j', (list, elements) => {
	expect(parseElements(list)).toEqual(elements);
});

test.each(['', 'x', '1-', '1-5:', '1,,2', '-5', '1-5:2:3', '1 2', '...'])('what is no list of elements is refused: %j', list => {
	expect(() => parseElements(list)).toThrow('no list of numbers');
});

test.each([
	['937.14', {jobId: '937', element: 14}],
	['937', {jobId: '937', element: undefined}],
])('the id %s is told apart', (id, parts) => {
	expect(parseElementId(id)).toEqual(parts);
});

describe('what is removed', () => {
	test.each([
		[['937'], '937'],
		[['937.14'], '937.14'],
		[['937.14', '937.15'], '937.14-15:1'],
		[['937.15', '937.14', '937.15'], '937.14-15:1'],
		[['937.1', '937.9'], '937.1 937.9'],
		[['937.9', '937.3', '937.5', '937.7', '937.10', '937.11'], '937.3-9:2 937.10-11:1'],
		[['937.1', '5', '938.1', '937.2', '6'], '5 6 937.1-2:1 938.1'],
		[[], ''],
	])('%j is asked for as %j', (ids, args) => {
		expect(groupIds(ids).join(' ')).toBe(args);
	});

	const anyId = fc.oneof(
		fc.integer({min: 1, max: 5}).map(String),
		fc.tuple(fc.integer({min: 6, max: 8}), fc.integer({min: 1, max: 40})).map(([job, element]) => formatElementId(String(job), element)),
	);
	/** As qdel reads its arguments. */
	const expand = (arg: string): string[] => {
		const [job, list] = arg.split('.') as [string, string | undefined];
		return list === undefined ? [job] : parseElements(list).map(element => formatElementId(job, element));
	};

	test('is each id once and nothing else, in no more arguments than ids', () => {
		fc.assert(
			fc.property(fc.array(anyId, {maxLength: 100}), ids => {
				const args = groupIds(ids);
				expect(args.flatMap(expand).sort()).toEqual([...new Set(ids)].sort());
				expect(args.length).toBeLessThanOrEqual(new Set(ids).size);
			}),
		);
	});
});
