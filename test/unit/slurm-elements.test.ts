import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {formatElementId, groupIds} from '../../src/engines/slurm-elements.js';

describe('what is removed', () => {
	test.each([
		[['937'], '937'],
		[['937_14'], '937_14'],
		[['937_14', '937_15'], '937_[14-15]'],
		[['937_15', '937_9', '937_14', '937_15'], '937_[9,14-15]'],
		[['937_1', '5', '938_1', '937_2', '6'], '5 6 937_[1-2] 938_1'],
		// A part of a heterogeneous job is no element.
		[['937+1', '937_2', '937_3'], '937+1 937_[2-3]'],
		[[], ''],
	])('%j is asked for as %j', (ids, args) => {
		expect(groupIds(ids).join(' ')).toBe(args);
	});

	const anyId = fc.oneof(
		fc.integer({min: 1, max: 5}).map(String),
		fc.tuple(fc.integer({min: 6, max: 8}), fc.integer({min: 1, max: 40})).map(([job, element]) => formatElementId(String(job), element)),
	);
	/** As scancel reads its arguments. */
	const expand = (arg: string): string[] => {
		const [job, list] = arg.split('_') as [string, string | undefined];
		return (list?.replaceAll(/[[\]]/g, '').split(',') ?? [undefined]).flatMap(run => {
			if (run === undefined) return job;
			const [first = Number.NaN, last = first] = run.split('-').map(Number);
			return Array.from({length: last - first + 1}, (_, i) => formatElementId(job, first + i));
		});
	};

	test('is each id once and nothing else, an array in one argument', () => {
		fc.assert(
			fc.property(fc.array(anyId, {maxLength: 100}), ids => {
				const args = groupIds(ids);
				expect(args.flatMap(expand).sort()).toEqual([...new Set(ids)].sort());
				expect(new Set(args.map(arg => arg.split('_')[0])).size).toBe(args.length);
			}),
		);
	});

	test('is no argument that is longer than programs may have', () => {
		const ids = Array.from({length: 100_000}, (_, i) => formatElementId('4194303', 2 * i + 1));
		const args = groupIds(ids);
		expect(args).toHaveLength(100);
		expect(Math.max(...args.map(arg => arg.length))).toBeLessThan(2 ** 17);
		expect(args.flatMap(expand)).toEqual(ids);
	});
});
