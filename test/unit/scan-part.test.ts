import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {encodeOver} from '../../src/block-file/block-frames.js';
import {type PartScan, readBlocks, scanPart} from '../../src/block-file/scan-part.js';
import {type ByteSource, createBlockFileEncoder, type FileHeader, openBlockFile} from '../../src/v8-serialize-helpers.js';
import {SESSION} from '../helpers/chunk-files.js';

const header: FileHeader = {
	kind: 'outcomes',
	format: 1,
	node: process.version,
	session: SESSION,
	ichunk: 13,
	firstTask: 0,
	numTasks: 60,
	attempt: 2,
	host: 'n12',
	jobId: '937',
	pid: 4711,
	writtenAt: '2026-11-21T00:20:07.000Z',
};
const expected = {session: SESSION, ichunk: 13};

const sourceOf = (bytes: Buffer): ByteSource => ({
	size: bytes.length,
	read: async (position, length) => {
		expect(position + length).toBeLessThanOrEqual(bytes.length);
		return Buffer.from(bytes.subarray(position, position + length));
	},
});

const scan = (bytes: Buffer): Promise<PartScan> => scanPart(sourceOf(bytes), expected);

/** A mark, a block, a mark, a block, …: what a worker writes for stretches of this many tasks. The value of a task is `made by` and its index. */
const grow = (stretches: readonly number[], fileHeader: FileHeader = header): {pieces: Buffer[]; end: Buffer} => {
	const encoder = createBlockFileEncoder(fileHeader);
	const pieces = [encoder.begin()];
	for (const stretch of stretches) {
		pieces.push(Buffer.concat(encoder.mark(encoder.numEntries + stretch)));
		for (let i = 0; i < stretch; i++) encoder.addValue({madeBy: [encoder.numEntries]});
		pieces.push(Buffer.concat(encoder.takeBlock() ?? []));
	}
	return {pieces, end: Buffer.concat(encoder.end('the trailer'))};
};

const valueAt = (index: number): unknown => ({madeBy: [index]});

const readValues = async (bytes: Buffer, {frames}: PartScan): Promise<unknown[]> =>
	(await readBlocks(sourceOf(bytes), frames)).flatMap(block => block.values);

describe('a file that grows', () => {
	test('is whole up to what was written last, and its last mark says what may have been under way', async () => {
		const {pieces, end} = grow([1, 4, 16]);
		const at = async (count: number): Promise<unknown> => {
			const {numFinished, mark, isWhole, isDamaged} = await scan(Buffer.concat(pieces.slice(0, count)));
			return {numFinished, mark, isWhole, isDamaged};
		};
		const growing = {isWhole: false, isDamaged: false};
		expect(await at(1)).toEqual({numFinished: 0, mark: undefined, ...growing});
		expect(await at(2)).toEqual({numFinished: 0, mark: {finished: 0, begunUpTo: 1}, ...growing});
		expect(await at(3)).toEqual({numFinished: 1, mark: {finished: 0, begunUpTo: 1}, ...growing});
		expect(await at(4)).toEqual({numFinished: 1, mark: {finished: 1, begunUpTo: 5}, ...growing});
		expect(await at(7)).toEqual({numFinished: 21, mark: {finished: 5, begunUpTo: 21}, ...growing});
		const bytes = Buffer.concat([...pieces, end]);
		const whole = await scan(bytes);
		expect(whole).toMatchObject({header, numFinished: 21, isWhole: true, isDamaged: false, over: undefined});
		expect(await readValues(bytes, whole)).toEqual(Array.from({length: 21}, (_, i) => valueAt(i)));
	});

	test('tells the task for which its worker was ended', async () => {
		const {pieces} = grow([1, 4]);
		const over = {index: 3, elapsedMs: 2000.5};
		const bytes = Buffer.concat([...pieces.slice(0, 4), ...encodeOver(over)]);
		expect(await scan(bytes)).toMatchObject({numFinished: 1, over, isDamaged: false});
	});

	test('is read as a file of blocks once it is whole: marks lie between them', async () => {
		const {pieces, end} = grow([1, 2, 3]);
		const file = await openBlockFile(sourceOf(Buffer.concat([...pieces, end])));
		expect([file.numEntries, file.numBlocks, file.trailer]).toEqual([6, 3, 'the trailer']);
		expect((await file.readBlock(1)).values).toEqual([valueAt(1), valueAt(2)]);
	});

	test('can be gone on with in another file, whose blocks still say which attempt made them', async () => {
		const first = Buffer.concat(grow([2, 1]).pieces);
		const {frames} = await scan(first);
		const encoder = createBlockFileEncoder({...header, attempt: 3});
		const pieces = [encoder.begin()];
		for (const {position, length} of frames) pieces.push(...encoder.copyBlock(first.subarray(position, position + length)));
		pieces.push(...encoder.mark(4));
		encoder.addValue(valueAt(3));
		pieces.push(...(encoder.takeBlock() ?? []), ...encoder.end(null));
		const bytes = Buffer.concat(pieces);
		const scanned = await scan(bytes);
		expect(scanned).toMatchObject({numFinished: 4, isWhole: true});
		const blocks = await readBlocks(sourceOf(bytes), scanned.frames);
		expect(blocks.map(({first, count, attempt}) => [first, count, attempt])).toEqual([
			[0, 2, 2],
			[2, 1, 2],
			[3, 1, 3],
		]);
		expect(blocks.flatMap(block => block.values)).toEqual([0, 1, 2, 3].map(valueAt));
	});

	test('takes no block that does not go on with what it has, or is damaged', async () => {
		const [, , one, , two] = grow([1, 2]).pieces as [Buffer, Buffer, Buffer, Buffer, Buffer];
		const encoder = createBlockFileEncoder(header);
		expect(() => encoder.copyBlock(two)).toThrow('from 0 on');
		const damaged = Buffer.from(one);
		damaged[30]! ^= 1;
		expect(() => encoder.copyBlock(damaged)).toThrow('damaged');
		encoder.copyBlock(one);
		encoder.copyBlock(two);
		expect(encoder.numEntries).toBe(3);
		encoder.addValue(1);
		expect(() => encoder.mark(9)).toThrow('pends');
	});
});

describe('wherever it is cut off or changed', () => {
	const anyFile = fc.record({stretches: fc.array(fc.integer({min: 1, max: 9}), {maxLength: 6}), isEnded: fc.boolean()});

	test('a file that is cut anywhere gives all whole blocks before the cut, and the mark before it', async () => {
		await fc.assert(
			fc.asyncProperty(anyFile, fc.nat(), async ({stretches, isEnded}, at) => {
				const {pieces, end} = grow(stretches);
				const head = pieces[0]!.length;
				const all = Buffer.concat([...pieces, ...(isEnded ? [end] : [])]);
				const cut = at % (all.length + 1);
				const bytes = all.subarray(0, cut);
				if (cut < head) {
					await expect(scan(bytes)).rejects.toMatchObject({name: 'BlockFileError', reason: 'truncated'});
					return;
				}
				let numPieces = 0;
				for (let to = 0; numPieces < pieces.length && to + pieces[numPieces]!.length <= cut; numPieces++) to += pieces[numPieces]!.length;
				const sums = [0, ...stretches].map((_, i) => stretches.slice(0, i).reduce((a, b) => a + b, 0));
				const numBlocks = (numPieces - 1) >> 1;
				const numMarks = numPieces >> 1;
				const scanned = await scan(bytes);
				expect(scanned).toMatchObject({
					numFinished: sums[numBlocks],
					mark: numMarks === 0 ? undefined : {finished: sums[numMarks - 1], begunUpTo: sums[numMarks]},
					isWhole: isEnded && cut === all.length,
					isDamaged: false,
				});
				expect(await readValues(bytes, scanned)).toEqual(Array.from({length: sums[numBlocks]!}, (_, i) => valueAt(i)));
			}),
		);
	});

	test('a file with a changed byte gives what is before it and nothing wrong', async () => {
		await fc.assert(
			fc.asyncProperty(anyFile, fc.nat(), fc.integer({min: 1, max: 255}), async ({stretches, isEnded}, at, change) => {
				const {pieces, end} = grow(stretches);
				const bytes = Buffer.concat([...pieces, ...(isEnded ? [end] : [])]);
				const changed = at % bytes.length;
				bytes[changed]! ^= change;
				if (changed < pieces[0]!.length) {
					await expect(scan(bytes)).rejects.toMatchObject({name: 'BlockFileError'});
					return;
				}
				const scanned = await scan(bytes);
				expect(scanned.isWhole).toBe(false);
				let [to, numBlocks] = [0, 0];
				for (const [i, piece] of pieces.entries()) {
					to += piece.length;
					if (to > changed) break;
					if (i > 0 && i % 2 === 0) numBlocks++;
				}
				expect(scanned.frames).toHaveLength(numBlocks);
				expect(await readValues(bytes, scanned)).toEqual(Array.from({length: scanned.numFinished}, (_, i) => valueAt(i)));
			}),
		);
	});

	let sample: Buffer;
	beforeAll(() => {
		const {pieces, end} = grow([1, 4]);
		sample = Buffer.concat([...pieces, end]);
	});

	test('bytes that are there but wrong are told from bytes that are missing', async () => {
		const zeros = Buffer.concat([...grow([1, 4]).pieces, Buffer.alloc(40)]);
		expect(await scan(zeros)).toMatchObject({numFinished: 5, isDamaged: true});
		const changed = Buffer.from(sample);
		changed[changed.indexOf('BLCK') + 40]! ^= 1;
		expect(await scan(changed)).toMatchObject({numFinished: 0, isDamaged: true});
		expect(await scan(Buffer.concat([sample, Buffer.from('x')]))).toMatchObject({numFinished: 5, isWhole: false, isDamaged: true});
	});

	test.each<[string, Buffer]>([
		['a block that leaves out entries', grow([1, 1]).pieces[4]!],
		['a mark that knows more than there is', grow([1, 1]).pieces[3]!],
		['a mark for more tasks than there are', Buffer.concat(createBlockFileEncoder(header).mark(61))],
		['an over for a task that has an outcome', Buffer.concat([...grow([1]).pieces.slice(1), ...encodeOver({index: 0, elapsedMs: 1})])],
		['an over for a task of no chunk of this size', Buffer.concat(encodeOver({index: 60, elapsedMs: 1}))],
	])('%s is taken for damaged', async (_, piece) => {
		const bytes = Buffer.concat([createBlockFileEncoder(header).begin(), piece]);
		expect(await scan(bytes)).toMatchObject({isDamaged: true, over: undefined});
	});

	test.each<[string, Partial<FileHeader>]>([
		['tasks', {kind: 'tasks'}],
		['another session', {session: 'another'}],
		['another chunk', {ichunk: 12}],
	])('a file of %s is refused', async (_, other) => {
		await expect(scan(Buffer.concat(grow([1], {...header, ...other}).pieces))).rejects.toMatchObject({reason: 'foreign'});
	});

	test('a block that has changed since the scan is not read', async () => {
		const {frames} = await scan(sample);
		const changed = Buffer.from(sample);
		changed[frames[1]!.position + 30]! ^= 1;
		await expect(readBlocks(sourceOf(changed), frames)).rejects.toMatchObject({reason: 'corrupt'});
		await expect(readBlocks({...sourceOf(sample), read: async () => Buffer.alloc(3)}, frames)).rejects.toMatchObject({reason: 'truncated'});
	});

	test('a file that is shorter than its size was is taken for cut off', async () => {
		const {pieces} = grow([1, 4]);
		const bytes = Buffer.concat(pieces);
		const shown = bytes.length - pieces.at(-1)!.length + 20;
		const source: ByteSource = {
			size: bytes.length,
			read: async (from, length) => bytes.subarray(from, Math.min(from + length, Math.max(shown, from))),
		};
		// The head comes from a read of the tail, which is whole in this small file.
		await expect(scanPart(source, expected)).rejects.toMatchObject({reason: 'truncated'});
	});

	test('a block larger than what is read at once is scanned and read', async () => {
		const encoder = createBlockFileEncoder(header);
		const large = Buffer.alloc(400_000, 7);
		encoder.addValue(large);
		const bytes = Buffer.concat([encoder.begin(), ...(encoder.takeBlock() ?? []), ...encoder.mark(2)]);
		const scanned = await scan(bytes);
		expect(scanned).toMatchObject({numFinished: 1, mark: {finished: 1, begunUpTo: 2}});
		expect(large.equals((await readValues(bytes, scanned))[0] as Buffer)).toBe(true);
	});
});
