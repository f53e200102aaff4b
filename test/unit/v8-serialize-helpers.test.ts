import {serialize} from 'node:v8';
import {crc32} from 'node:zlib';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {
	type Block,
	BlockFileError,
	type BlockFileErrorReason,
	type ByteSource,
	createBlockFileEncoder,
	type EncoderLimits,
	type FileHeader,
	type OutputRange,
	openBlockFile,
	type TaskFailure,
	UnserialisableError,
} from '../../src/v8-serialize-helpers.js';

const header: FileHeader = {
	kind: 'outcomes',
	format: 1,
	node: process.version,
	session: '2026-11-21T00-20-07_a10cda',
	ichunk: 13,
	firstTask: 39,
	numTasks: 3,
	attempt: 2,
	host: 'n12',
	jobId: '937.14',
	pid: 4711,
	writtenAt: '2026-11-21T00:20:07.000Z',
};

const failure: TaskFailure = {
	kind: 'exception',
	message: 'boom',
	remote: {name: 'RangeError', message: 'boom', stack: 'RangeError: boom\n    at f', code: 'E_BOOM'},
};

/** Asserts what every reader must hold to: not one byte is asked for beyond the end. */
const sourceOf = (bytes: Buffer): ByteSource => ({
	size: bytes.length,
	read: async (position, length) => {
		expect(position).toBeGreaterThanOrEqual(0);
		expect(position + length).toBeLessThanOrEqual(bytes.length);
		return Buffer.from(bytes.subarray(position, position + length));
	},
});

const encodeValues = (values: readonly unknown[], limits?: EncoderLimits, fileHeader: FileHeader = header): Buffer => {
	const encoder = createBlockFileEncoder(fileHeader, limits);
	const buffers = [encoder.begin()];
	for (const value of values) {
		encoder.addValue(value);
		if (encoder.isFull()) buffers.push(...encoder.takeBlock()!);
	}
	buffers.push(...(encoder.takeBlock() ?? []), ...encoder.end({warnings: []}));
	return Buffer.concat(buffers);
};

const readBlocks = async (bytes: Buffer): Promise<Block[]> => {
	const file = await openBlockFile(sourceOf(bytes));
	return Promise.all(Array.from({length: file.numBlocks}, (_, iblock) => file.readBlock(iblock)));
};

const readValues = async (bytes: Buffer): Promise<unknown[]> => (await readBlocks(bytes)).flatMap(block => block.values);

const roundTrip = async (...values: unknown[]): Promise<unknown[]> => readValues(encodeValues(values));

const errorOf = async (bytes: Buffer): Promise<BlockFileError> => {
	const error = await readBlocks(bytes).then(
		() => undefined,
		(error: unknown) => error,
	);
	expect(error).toBeInstanceOf(BlockFileError);
	return error as BlockFileError;
};

/** One frame, made here from the description of the format. */
const frameOf = (type: string, payload: Buffer): Buffer => {
	const head = Buffer.alloc(8);
	head.write(type, 0);
	head.writeUInt32LE(payload.length, 4);
	const checksum = Buffer.alloc(4);
	checksum.writeUInt32LE(crc32(payload, crc32(head)));
	return Buffer.concat([head, checksum, payload]);
};

/** With `find` replaced by as many bytes, and checksums that fit again. */
const forge = (bytes: Buffer, find: string, replacement: string): Buffer => {
	const forged = Buffer.from(bytes.toString('latin1').replace(find, replacement), 'latin1');
	expect(forged.length).toBe(bytes.length);
	const frames: Buffer[] = [];
	let at = 0;
	while (at < forged.length - 16) {
		const to = at + 12 + forged.readUInt32LE(at + 4);
		frames.push(frameOf(forged.toString('latin1', at, at + 4), forged.subarray(at + 12, to)));
		at = to;
	}
	return Buffer.concat([...frames, forged.subarray(at)]);
};

/** Values of every kind that v8 keeps. */
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
	{
		weight: 2,
		arbitrary: fc.oneof(
			fc.double(),
			fc.integer(),
			fc.string({unit: 'binary'}),
			fc.boolean(),
			fc.bigInt(),
			fc.constantFrom(null, undefined, -0, Number.NaN),
		),
	},
	{weight: 1, arbitrary: fc.array(fc.oneof(fc.integer(), fc.string()), {maxLength: 20})},
	{weight: 1, arbitrary: fc.dictionary(fc.string(), fc.oneof(fc.double(), fc.string()), {maxKeys: 20, noNullPrototype: true})},
	{
		weight: 2,
		arbitrary: fc.anything({
			withBigInt: true,
			withBoxedValues: true,
			withDate: true,
			withMap: true,
			withSet: true,
			withTypedArray: true,
			withSparseArray: true,
		}),
	},
	{weight: 1, arbitrary: fc.uint8Array().map(bytes => Buffer.from(bytes))},
);

const anyLimits: fc.Arbitrary<EncoderLimits> = fc.record({
	maxEntries: fc.integer({min: 1, max: 8}),
	maxBytes: fc.integer({min: 1, max: 300}),
});

describe('what is written is read', () => {
	type Entry = {
		readonly content: {readonly value: unknown} | {readonly failure: TaskFailure};
		readonly startedAt: number | undefined;
		readonly elapsedMs: number | undefined;
		readonly output: OutputRange | undefined;
		/** After it: take what pends; and turn the entry that is so many places back into a failure. */
		readonly isTakenAfter: boolean;
		readonly failBack: number | undefined;
	};

	const anyRange = fc.tuple(fc.nat(), fc.nat(2 ** 40));
	const anyFailure: fc.Arbitrary<TaskFailure> = fc.record(
		{
			kind: fc.constantFrom('exception' as const, 'exit' as const),
			message: fc.string(),
		},
		{noNullPrototype: true},
	);
	const anyEntry: fc.Arbitrary<Entry> = fc.record({
		content: fc.oneof({weight: 4, arbitrary: fc.record({value: anyValue})}, {weight: 1, arbitrary: fc.record({failure: anyFailure})}),
		startedAt: fc.option(fc.integer({min: 0, max: 2e12}), {nil: undefined}),
		elapsedMs: fc.option(fc.float({min: 0, noNaN: true}), {nil: undefined}),
		output: fc.option(fc.record({stdout: anyRange, stderr: anyRange}), {nil: undefined}),
		isTakenAfter: fc.boolean(),
		failBack: fc.option(fc.nat(4), {nil: undefined}),
	});

	test('any entries, in blocks of any size, taken at any time, some turned into failures before that', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(anyEntry, {maxLength: 30}), anyLimits, async (entries, limits) => {
				const encoder = createBlockFileEncoder(header, limits);
				const buffers = [encoder.begin()];
				const contents: Entry['content'][] = [];
				let numTaken = 0;
				for (const {content, startedAt, elapsedMs, output, isTakenAfter, failBack} of entries) {
					if ('failure' in content) encoder.addFailure(content.failure, startedAt, elapsedMs, output);
					else encoder.addValue(content.value, startedAt, elapsedMs, output);
					contents.push(content);
					expect(encoder.numEntries).toBe(contents.length);
					if (failBack !== undefined) {
						const index = contents.length - 1 - failBack;
						const isReplaced = encoder.replaceWithFailure(index, failure);
						expect(isReplaced).toBe(index >= numTaken);
						if (isReplaced) contents[index] = {failure};
					}
					if (!isTakenAfter) continue;
					buffers.push(...encoder.takeBlock()!);
					numTaken = contents.length;
				}
				buffers.push(...(encoder.takeBlock() ?? []), ...encoder.end('the trailer'));

				const bytes = Buffer.concat(buffers);
				const file = await openBlockFile(sourceOf(bytes));
				expect(file).toMatchObject({header, trailer: 'the trailer', numEntries: entries.length});
				const blocks = await readBlocks(bytes);
				expect([...file.firsts]).toEqual(blocks.map(block => block.first));
				expect(blocks.reduce((sum, block) => sum + block.count, 0)).toBe(entries.length);
				for (const block of blocks) {
					expect(block.count).toBeLessThanOrEqual(limits.maxEntries!);
					expect([block.values.length, block.statuses.length, block.startedAt.length, block.elapsedMs.length]).toEqual(
						Array(4).fill(block.count),
					);
					for (let at = 0; at < block.count; at++) {
						const index = block.first + at;
						const {startedAt, elapsedMs, output} = entries[index]!;
						const content = contents[index]!;
						expect(block.failures.get(index)).toStrictEqual('failure' in content ? content.failure : undefined);
						expect(block.values[at]).toStrictEqual('value' in content ? content.value : undefined);
						expect(block.statuses[at] === 2).toBe('failure' in content);
						expect(block.startedAt[at]).toBe(startedAt ?? Number.NaN);
						expect(block.elapsedMs[at]).toBe(elapsedMs ?? Number.NaN);
						expect(block.outputs.get(index)).toEqual(output);
					}
				}
			}),
		);
	});

	test('Q4: NaN, -0, bigints, holes, Map, Set, Date, cycles and lone surrogates', async () => {
		const withHole = new Array<number>(3).fill(1);
		delete withHole[1];
		const cycle: {self?: unknown; n: number} = {n: 1};
		cycle.self = cycle;
		const values = [
			Number.NaN,
			-0,
			2n ** 200n,
			withHole,
			new Map([[{a: 1}, new Set([-0])]]),
			new Date(Number.NaN),
			cycle,
			'\ud800',
			undefined,
			null,
		];
		const read = await roundTrip(...values);
		expect(read).toStrictEqual(values);
		expect(read[1]).toBe(-0);
		expect(1 in (read[3] as unknown[])).toBe(false);
	});

	test('an own property called __proto__ stays one', async () => {
		const [value] = await roundTrip(JSON.parse('{"__proto__": 1}'));
		expect(Object.keys(value as object)).toEqual(['__proto__']);
	});

	test('an array keeps its holes and further properties, however small it is', async () => {
		const match = /(a)/.exec('ba');
		const holeAndMore = Object.assign(new Array<number>(1), {more: 1});
		expect(await roundTrip(match, holeAndMore)).toStrictEqual([match, holeAndMore]);
	});

	test('an object returned every time and changed later does not change earlier entries', async () => {
		const flat = [0];
		const deep = {inner: {n: 0}};
		const encoder = createBlockFileEncoder(header);
		for (let n = 1; n <= 3; n++) {
			flat[0] = n;
			deep.inner.n = n;
			encoder.addValue(flat);
			encoder.addValue(deep);
		}
		const bytes = Buffer.concat([encoder.begin(), ...encoder.takeBlock()!, ...encoder.end(null)]);
		expect(await readValues(bytes)).toEqual([[1], {inner: {n: 1}}, [2], {inner: {n: 2}}, [3], {inner: {n: 3}}]);
	});

	test('entries that share an object do not share it when read', async () => {
		const flat = {n: 1};
		const deep = {flat};
		const [first, second, third, fourth] = (await roundTrip(flat, flat, deep, deep)) as [
			typeof flat,
			typeof flat,
			typeof deep,
			typeof deep,
		];
		first.n = 2;
		third.flat.n = 3;
		expect([second, fourth]).toEqual([{n: 1}, {flat: {n: 1}}]);
	});

	test('inside one entry an object that is used twice stays one object', async () => {
		const inner = {n: 1};
		// With entries of the same form around it, for they share what reads them.
		const values = Array.from({length: 5}, () => [inner, {inner}]);
		for (const [left, right] of (await roundTrip(...values, [[1], [2]], ...values)) as [object, {inner: object}][]) {
			if (!Array.isArray(left)) expect(right.inner).toBe(left);
		}
	});

	test('what v8 marks references with may be anywhere in a value', async () => {
		const values = Array.from({length: 300}, (_, i) => ({text: '^'.repeat(i % 3), list: [[i], ['^']], bytes: Buffer.from([i])}));
		expect(await roundTrip(...values)).toStrictEqual(values);
	});

	test('a value may be as large as its limit and has a block to itself', async () => {
		const large = Buffer.alloc(5000, 7);
		const blocks = await readBlocks(encodeValues([1, large, 2], {maxBytes: 100, maxValueBytes: large.length + 10}));
		expect(blocks.map(block => block.values)).toStrictEqual([[1], [large], [2]]);
	});

	test('a file without entries', async () => {
		const file = await openBlockFile(sourceOf(encodeValues([])));
		expect(file).toMatchObject({numEntries: 0, numBlocks: 0});
		await expect(file.readBlock(0)).rejects.toThrow(RangeError);
	});

	test('one block is read without the others', async () => {
		const bytes = encodeValues(
			Array.from({length: 60_000}, (_, i) => i),
			{maxEntries: 20_000},
		);
		const reads: number[] = [];
		const file = await openBlockFile({
			...sourceOf(bytes),
			read: async (from, length) => {
				reads.push(length);
				return bytes.subarray(from, from + length);
			},
		});
		expect((await file.readBlock(1)).values.slice(0, 2)).toEqual([20_000, 20_001]);
		expect(reads.reduce((sum, length) => sum + length)).toBeLessThan(bytes.length / 2);
	});
});

describe('memory', () => {
	test.each([
		['Uint8Array', new Uint8Array([1, 2, 3])],
		['Float64Array', new Float64Array(300).fill(1.5)],
		['Buffer', Buffer.from('abc')],
		['Buffer of more than one read', Buffer.alloc(20_000, 1)],
		['DataView', new DataView(new ArrayBuffer(16), 4, 8)],
	])('a %s has memory of its own, of exactly its size', async (_name, view) => {
		const around = {text: 'x'.repeat(1000), list: [1, [2]]};
		for (const offset of [0, 1, 2, 3, 4, 5, 6, 7]) {
			const [, value] = (await roundTrip({...around, pad: 'x'.repeat(offset)}, {view}, around)) as [unknown, {view: typeof view}];
			expect(value.view).toStrictEqual(view);
			expect(value.view.buffer.byteLength).toBe(view.byteLength);
		}
	});

	test('a Buffer comes back as a Buffer, an empty one too', async () => {
		const values = (await roundTrip(Buffer.from('abc'), Buffer.alloc(0))) as Buffer[];
		expect(values.map(value => Buffer.isBuffer(value))).toEqual([true, true]);
		expect(values.map(String)).toEqual(['abc', '']);
	});

	test('columns do not keep the block in memory', async () => {
		const [block] = await readBlocks(encodeValues(['x'.repeat(50_000)]));
		expect(block!.statuses.buffer.byteLength).toBeLessThan(100);
	});
});

describe('blocks', () => {
	test('a block is full by entries or by bytes', () => {
		const byEntries = createBlockFileEncoder(header, {maxEntries: 2});
		const byBytes = createBlockFileEncoder(header, {maxBytes: 100});
		expect(byEntries.isFull()).toBe(false);
		byEntries.addValue(1);
		byBytes.addValue('x'.repeat(20));
		expect([byEntries.isFull(), byBytes.isFull()]).toEqual([false, false]);
		byEntries.addValue(2);
		byBytes.addValue('x'.repeat(40));
		expect([byEntries.isFull(), byBytes.isFull()]).toEqual([true, true]);
		expect(byEntries.takeBlock()).toBeDefined();
		expect([byEntries.isFull(), byEntries.takeBlock()]).toEqual([false, undefined]);
	});

	test.each<[string, unknown]>([
		['an array', {words: ['a'.repeat(900)]}],
		['a bigint', 2n ** 9000n],
		['members of a small array', ['x'.repeat(300), 'y'.repeat(300)]],
		['members of a small object', {key: 'x'.repeat(600)}],
		['names of members', {['x'.repeat(600)]: 1}],
	])('the bytes of %s count', (_name, value) => {
		const encoder = createBlockFileEncoder(header, {maxBytes: 800});
		encoder.addValue(value);
		expect(encoder.isFull()).toBe(true);
	});

	test('nothing outgrows the limits when nobody takes what is full', async () => {
		const encoder = createBlockFileEncoder(header, {maxEntries: 100});
		for (let i = 0; i < 1000; i++) encoder.addValue(i);
		expect(encoder.replaceWithFailure(5, failure)).toBe(true);
		const blocks = await readBlocks(Buffer.concat([encoder.begin(), ...encoder.takeBlock()!, ...encoder.end(null)]));
		expect(blocks.map(block => block.count)).toEqual(Array(10).fill(100));
		expect(blocks[0]!.failures).toStrictEqual(new Map([[5, failure]]));
	});

	test('an entry that is not there, or on its way to the disk, is not replaced', () => {
		const encoder = createBlockFileEncoder(header);
		expect(encoder.replaceWithFailure(0, failure)).toBe(false);
		encoder.addValue(1);
		encoder.takeBlock();
		encoder.addValue(2);
		expect([-1, 0, 1, 2].map(index => encoder.replaceWithFailure(index, failure))).toEqual([false, false, true, false]);
	});

	test('the end is refused while a block pends', () => {
		const encoder = createBlockFileEncoder(header);
		encoder.addValue(1);
		expect(() => encoder.end(null)).toThrow(/pends/);
	});

	test('every block says itself which entries it holds, for a file that has no index yet', async () => {
		const bytes = encodeValues([1, 2, 3], {maxEntries: 2});
		const second = bytes.lastIndexOf('BLCK');
		expect(bytes.readUInt32LE(second + 4) + second + 12).toBe(bytes.indexOf('INDX'));
		expect((await readBlocks(bytes)).map(({first, count}) => [first, count])).toEqual([
			[0, 2],
			[2, 1],
		]);
	});
});

describe('what can not be written', () => {
	const argumentsOf = function (this: unknown, ..._: number[]): unknown {
		// biome-ignore lint/complexity/noArguments: it is what is tested
		return arguments;
	};

	test.each([
		['a function', {opts: {onDone() {}}}, /^\.opts\.onDone is a function/],
		['a value that v8 would lose', [new URL('http://localhost/')], /^\[0\] is a URL, which would arrive as \{\}: pass its href$/],
		['a symbol', Symbol('s'), /^the value itself is a symbol/],
		['a function by itself', () => 1, /^the value itself is a function/],
		['an arguments object', argumentsOf(1), /^the value itself is an `arguments` object: pass \[\.\.\.arguments\]$/],
		['a Proxy', new Proxy({}, {}), /^the value itself is a Proxy/],
		[
			'a getter that throws',
			{
				get bad() {
					throw new TypeError('no');
				},
			},
			/^\.bad can't be read, its getter throws: no$/,
		],
		[
			'a large value',
			new Uint8Array(2000),
			/^the value itself needs \d+ bytes, more than the 1000 that can be written: put it into a file/,
		],
		['a large string', 'x'.repeat(600), /^the value itself needs \d+ bytes/],
		['large members', ['x'.repeat(300), 'x'.repeat(300)], /^the value itself needs \d+ bytes/],
	])('%s is refused with a sentence, and the encoder is as it was', async (_name, value, message) => {
		const encoder = createBlockFileEncoder(header, {maxValueBytes: 1000});
		encoder.addValue(1);
		expect(() => encoder.addValue(value, 5, 5, {stdout: [0, 1], stderr: [0, 1]})).toThrow(UnserialisableError);
		expect(() => encoder.addValue(value)).toThrow(message);
		expect(encoder.numEntries).toBe(1);
		encoder.addValue(2);
		const [block] = await readBlocks(Buffer.concat([encoder.begin(), ...encoder.takeBlock()!, ...encoder.end(null)]));
		expect(block).toMatchObject({count: 2, values: [1, 2], failures: new Map(), outputs: new Map()});
		expect([...block!.startedAt]).toEqual([Number.NaN, Number.NaN]);
	});

	test('the trailer is held to the same', () => {
		expect(() => createBlockFileEncoder(header).end({warnings: [() => 1]})).toThrow(/^\.trailer\.warnings\[0\] is a function/);
	});
});

describe('what can not be read', () => {
	const sample = encodeValues(
		Array.from({length: 40}, (_, i) => (i % 2 === 0 ? i : {id: i, list: [[i]], bytes: Buffer.from([i])})),
		{maxEntries: 16},
	);

	test('a truncated file is found, wherever it is cut', async () => {
		for (let length = 0; length < sample.length; length++) {
			expect((await errorOf(sample.subarray(0, length))).reason).toBe('truncated');
		}
	});

	test('a flipped bit is found, wherever it is', async () => {
		for (let bit = 0; bit < 8 * sample.length; bit++) {
			const damaged = Buffer.from(sample);
			damaged[bit >> 3]! ^= 1 << (bit & 7);
			const error = await errorOf(damaged);
			// In the magic of the end mark: then there is no end mark.
			expect(bit >= 8 * (sample.length - 8) ? ['truncated', 'format'] : ['corrupt']).toContain(error.reason);
		}
	});

	test('truncation and flipped bits are found in files of any entries', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(anyValue), anyLimits, fc.nat(), fc.nat(), async (values, limits, cut, flip) => {
				const bytes = encodeValues(values, limits);
				expect((await errorOf(bytes.subarray(0, cut % bytes.length))).reason).toBe('truncated');
				const bit = flip % (8 * bytes.length);
				bytes[bit >> 3]! ^= 1 << (bit & 7);
				await errorOf(bytes);
			}),
		);
	});

	test('a damaged block costs itself only', async () => {
		const damaged = Buffer.from(sample);
		damaged[damaged.indexOf('BLCK') + 20]! ^= 1;
		const file = await openBlockFile(sourceOf(damaged));
		await expect(file.readBlock(0)).rejects.toMatchObject({name: 'BlockFileError', reason: 'corrupt'});
		expect((await file.readBlock(1)).first).toBe(16);
	});

	test('a source that returns less than it was asked for is taken for cut off', async () => {
		await expect(openBlockFile({size: sample.length + 9, read: async () => sample})).rejects.toMatchObject({reason: 'truncated'});
		const late: ByteSource = {
			...sourceOf(sample),
			read: async (from, length) => sample.subarray(from, Math.min(from + length, sample.length - 1)),
		};
		await expect(openBlockFile(late)).rejects.toMatchObject({
			reason: 'truncated',
			message: expect.stringContaining(`should have ${sample.length} bytes`),
		});
	});

	test('a zero-filled tail, as a crashed file system leaves it, is found', async () => {
		expect((await errorOf(Buffer.concat([sample.subarray(0, -40), Buffer.alloc(40)]))).reason).toBe('truncated');
	});

	test.each<[string, Buffer, BlockFileErrorReason, RegExp]>([
		[
			'a ZIP archive',
			Buffer.from('PK\u0003\u0004 and much more than a head and an end mark'),
			'foreign',
			/it begins with "PK\\u0003\\u0004"/,
		],
		['two bytes of something', Buffer.from('PK'), 'foreign', /it begins with "PK"/],
		['zeros', Buffer.alloc(100), 'foreign', /no file of tasks or outcomes/],
		[
			'another format',
			forge(sample, '"format":1', '"format":2'),
			'format',
			/has format 2, written by Node v.*; this version reads format 1/,
		],
		['another kind', forge(sample, '"outcomes"', '"outcasts"'), 'foreign', /holds "outcasts", neither tasks nor outcomes/],
		['another end mark', forge(sample, 'QMREND01', 'QMREND02'), 'format', /ends with "QMREND02"; this version reads QMREND01/],
	])('%s is refused and named', async (_name, bytes, reason, message) => {
		const error = await errorOf(bytes);
		expect(error.reason).toBe(reason);
		expect(error.message).toMatch(message);
	});

	test('H13: a head that v8 can not read is told of with the Node that reads', async () => {
		// As a later v8 would write it: the version byte after the mark ff.
		const first = sample.toString('latin1').slice(sample.indexOf('BLCK') + 28, sample.indexOf('BLCK') + 32);
		expect(first.slice(0, 2)).toBe(serialize(1).toString('latin1', 0, 2));
		const error = await errorOf(forge(sample, first, `\xff\x7f${first.slice(2)}`));
		expect(error.reason).toBe('format');
		expect(error.message).toContain(process.version);
	});

	test('H13: a value that this Node can not read costs its own task', async () => {
		const values = [{a: [['first']]}, {a: [['second']]}, {a: [['third']]}];
		const [block] = await readBlocks(forge(encodeValues(values), '"\u0006second', '\xfe\u0006second'));
		expect(block!.values).toEqual([values[0], undefined, values[2]]);
		expect([...block!.statuses]).toEqual([1, 2, 1]);
		expect([...block!.failures.keys()]).toEqual([1]);
		expect(block!.failures.get(1)).toMatchObject({kind: 'result-unserialisable', message: expect.stringMatching(/can't read it back/)});
	});
});
