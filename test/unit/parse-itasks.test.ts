import {describe, expect, test} from 'vitest';
import {parseItasks} from '../../src/cli/act/parse-itasks.js';
import {UsageError} from '../../src/cli/command-error.js';

describe('numbers of tasks', () => {
	test('are typed as qmr errors prints them, and come in order, each once', () => {
		expect(parseItasks(['3,', '7,', '9-11'])).toEqual([3, 7, 9, 10, 11]);
		expect(parseItasks(['7', '3,3', '0-1'])).toEqual([0, 1, 3, 7]);
	});

	test.each(['x', '-1', '1.5', '3-', '9-7', '1e3', '0-99999999', '1 2'])('%j is refused', word => {
		expect(() => parseItasks([word])).toThrow(UsageError);
	});
});
