import {describe, expect, test} from 'vitest';
import type {TaskErrorKind} from '../../src/errors.js';
import type {Files} from '../../src/ports.js';
import {refineFailure} from '../../src/refine-failure.js';

const holding = (text: string | undefined): Pick<Files, 'openSource'> => ({
	openSource: async () => {
		if (text === undefined) throw Object.assign(new Error('not there'), {code: 'ENOENT'});
		const bytes = Buffer.from(text);
		return {size: bytes.length, read: async (from, length) => bytes.subarray(from, from + length), close: async () => undefined};
	},
});

const refine = (kind: TaskErrorKind, stderr: string | undefined) =>
	refineFailure({kind, reason: 'why'}, {path: '/w/x.e', from: 0}, holding(stderr));

describe('the last words of a worker', () => {
	test.each<[what: string, stderr: string, part: string]>([
		[
			'that found too little address space',
			'#\n# Fatal process OOM in Failed to reserve virtual memory for CodeRange\n#',
			'is too small for Node, which needs 724 MB (v20), 763 MB (v22) or 1153 MB (v24) to start',
		],
		[
			'whose heap was full',
			'<--- Last few GCs --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n',
			'Node ran out of memory',
		],
		[
			'whose heap could not grow, with the stack of Node behind them',
			`FATAL ERROR: Committing semi space failed. Allocation failed - JavaScript heap out of memory
----- Native stack trace -----

${Array.from({length: 30}, (_, i) => `${i}: 0x10e91f1 v8::internal::HeapAllocator::AllocateRawWithLightRetrySlowPath(int, v8::internal::AllocationType) [/usr/bin/node]`).join('\n')}
`,
			'Node ran out of memory',
		],
		['that had no room for WebAssembly', 'RangeError: WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory', '11.2 GB'],
	])('of one %s tell that it was memory', async (_, stderr, part) => {
		const failure = await refine('killed', stderr);
		expect(failure).toEqual({kind: 'out-of-memory', reason: expect.stringContaining(part)});
		expect(failure.reason).toMatch(/^why: /);
	});

	test('are the end of the reason when nothing else is known', async () => {
		expect(await refine('lost', 'first\nlast\n')).toEqual({kind: 'lost', reason: 'why; its stderr ends with: last'});
	});

	test.each([undefined, ''])('may be missing', async stderr => {
		expect(await refine('killed', stderr)).toEqual({kind: 'killed', reason: 'why'});
	});

	test.each<TaskErrorKind>(['wall-time', 'node-lost', 'error-state', 'deleted', 'task-limit'])(
		'do not change a failure that is known to be %s',
		async kind => {
			expect(await refine(kind, 'JavaScript heap out of memory')).toEqual({kind, reason: 'why'});
		},
	);
});
