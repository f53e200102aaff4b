import {expect, test} from 'vitest';
import {Pool} from '../../src/pool.js';

test.each([
	[undefined, 'undefined'],
	[5, '5'],
	['', '""'],
	['a\0b', '"a\\u0000b"'],
])('what is no path can’t be gone on with: %j', async (workDir, got) => {
	await expect(Pool.resume(workDir as string)).rejects.toMatchObject({
		name: 'PoolError',
		code: 'ERR_POOL_OPTION',
		message: `Expected \`workDir\` to be a path (a string that is not empty), got ${got}.`,
	});
});
