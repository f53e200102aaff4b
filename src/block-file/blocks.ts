/**
 * One block of consecutive entries <-> the payload of its frame: the index of its first entry, their number, the attempt that made them, and the length
 * of a v8 value (4 bytes each); this value, with the columns and all flat values (see flat-values.ts); then every other value and every failure as a v8
 * value of its own, in order. So a block can be copied to another file without reading a value.
 */
import {serialize} from 'node:v8';
import type {RemoteError, TaskErrorKind} from '../errors.js';
import {BlockFileError} from './block-frames.js';
import {createSequentialReader, deserialiseValue} from './v8-values.js';

/** The bytes of the attempt's stdout and stderr that a task wrote. */
export type OutputRange = {readonly stdout: readonly [from: number, to: number]; readonly stderr: readonly [from: number, to: number]};

export type TaskFailure = {
	readonly kind: TaskErrorKind;
	readonly message: string;
	readonly remote?: RemoteError;
	/** Of `killed` and `task-limit`: the attempts whose workers died in the task, in order. Why they did only the process-node may know. */
	readonly deadAttempts?: readonly number[];
};

/** What an entry is: a flat value, any other value, a failure. */
export type EntryStatus = 0 | 1 | 2;
export const FLAT = 0;
export const APART = 1;
export const FAILURE = 2;

/** A block that has been read. */
export type Block = {
	/** The index in the file of its first entry. */
	readonly first: number;
	readonly count: number;
	/** The attempt that computed it, which may be an earlier one than the file's; 0 in a file of tasks. */
	readonly attempt: number;
	/** The {@link EntryStatus} of every entry. */
	readonly statuses: Uint8Array;
	/** Undefined where an entry is a failure. */
	readonly values: readonly unknown[];
	/** By index in the file. */
	readonly failures: ReadonlyMap<number, TaskFailure>;
	/** Milliseconds since 1970; NaN where none was given. */
	readonly startedAt: Float64Array;
	readonly elapsedMs: Float32Array;
	/** By index in the file. */
	readonly outputs: ReadonlyMap<number, OutputRange>;
};

/** A block that is being filled. It has columns because an object for every entry would cost more than many a task. */
export type PendingBlock = {
	readonly first: number;
	readonly attempt: number;
	count: number;
	numBytes: number;
	hasTimes: boolean;
	statuses: Uint8Array;
	startedAt: Float64Array;
	elapsedMs: Float32Array;
	/** Five numbers for every entry that has output. */
	readonly outputs: number[];
	readonly flat: unknown[];
	/** The other values and the failures. */
	readonly serialised: Buffer[];
};

const FIRST_CAPACITY = 64;

export const createPendingBlock = (first: number, attempt: number): PendingBlock => ({
	first,
	attempt,
	count: 0,
	numBytes: 0,
	hasTimes: false,
	statuses: new Uint8Array(FIRST_CAPACITY),
	startedAt: new Float64Array(FIRST_CAPACITY),
	elapsedMs: new Float32Array(FIRST_CAPACITY),
	outputs: [],
	flat: [],
	serialised: [],
});

/** A new entry without its value: the caller pushes that to `flat` or `serialised`. */
export const addEntry = (block: PendingBlock, status: EntryStatus, startedAt?: number, elapsedMs?: number, output?: OutputRange): void => {
	const at = block.count++;
	if (at === block.statuses.length) growColumns(block);
	block.statuses[at] = status;
	block.startedAt[at] = startedAt ?? Number.NaN;
	block.elapsedMs[at] = elapsedMs ?? Number.NaN;
	if (startedAt !== undefined || elapsedMs !== undefined) block.hasTimes = true;
	if (output !== undefined) block.outputs.push(block.first + at, ...output.stdout, ...output.stderr);
};

const growColumns = (block: PendingBlock): void => {
	const {statuses, startedAt, elapsedMs} = block;
	block.statuses = new Uint8Array(2 * statuses.length);
	block.statuses.set(statuses);
	block.startedAt = new Float64Array(2 * startedAt.length);
	block.startedAt.set(startedAt);
	block.elapsedMs = new Float32Array(2 * elapsedMs.length);
	block.elapsedMs.set(elapsedMs);
};

/** @param at - The entry's index in the block. */
export const replaceEntry = (block: PendingBlock, at: number, failure: Buffer): void => {
	const numFlatBefore = block.statuses.subarray(0, at).filter(status => status === FLAT).length;
	const isFlat = block.statuses[at] === FLAT;
	if (isFlat) block.flat.splice(numFlatBefore, 1);
	const [replaced] = block.serialised.splice(at - numFlatBefore, isFlat ? 0 : 1, failure);
	block.numBytes += failure.length - (replaced?.length ?? 0);
	block.statuses[at] = FAILURE;
};

/** The v8 value at the beginning of a block. */
type BlockHead = {
	readonly statuses: Uint8Array;
	/** Absent when no entry has a time. */
	readonly startedAt?: Float64Array;
	readonly elapsedMs?: Float32Array;
	/** Index, stdout from and to, stderr from and to. */
	readonly outputs: Float64Array;
	readonly flat: unknown[];
	/** Of the other values and the failures. */
	readonly lengths: Uint32Array;
};

/** Of what comes before the head. */
const NUMBERS_LENGTH = 16;

export const encodeBlock = (block: PendingBlock): Buffer[] => {
	const {first, count, attempt, statuses, startedAt, elapsedMs, outputs, flat, serialised} = block;
	const head: BlockHead = {
		statuses: statuses.subarray(0, count),
		...(block.hasTimes ? {startedAt: startedAt.subarray(0, count), elapsedMs: elapsedMs.subarray(0, count)} : {}),
		outputs: Float64Array.from(outputs),
		flat,
		lengths: Uint32Array.from(serialised, ({length}) => length),
	};
	const headBytes = serialize(head);
	const numbers = Buffer.alloc(NUMBERS_LENGTH);
	for (const [i, number] of [first, count, attempt, headBytes.length].entries()) numbers.writeUInt32LE(number, 4 * i);
	// Thousands of small buffers would be slow to write; a large value is alone, and is not copied.
	return [numbers, headBytes, ...(serialised.length > 1 ? [Buffer.concat(serialised)] : serialised)];
};

/** Which entries a block holds, and who made them. */
export type BlockRange = {readonly first: number; readonly count: number; readonly attempt: number};

/** @throws BlockFileError when the payload is too short to be a block. */
export const decodeBlockRange = (payload: Buffer): BlockRange => {
	if (payload.length < NUMBERS_LENGTH) throw new BlockFileError('corrupt', `A block has ${payload.length} bytes only.`);
	return {first: payload.readUInt32LE(0), count: payload.readUInt32LE(4), attempt: payload.readUInt32LE(8)};
};

export const decodeBlock = (payload: Buffer): Block => {
	const {first, count, attempt} = decodeBlockRange(payload);
	const headEnd = NUMBERS_LENGTH + payload.readUInt32LE(12);
	const head = readHead(payload.subarray(NUMBERS_LENGTH, headEnd));
	const {statuses, outputs} = head;
	const {values, failures} = readEntries(first, count, head, payload.subarray(headEnd));
	return {
		first,
		count,
		attempt,
		statuses,
		values,
		failures,
		startedAt: head.startedAt ?? new Float64Array(count).fill(Number.NaN),
		elapsedMs: head.elapsedMs ?? new Float32Array(count).fill(Number.NaN),
		outputs: readOutputs(outputs),
	};
};

const readHead = (bytes: Buffer): BlockHead => {
	try {
		return deserialiseValue(bytes) as BlockHead;
	} catch (error) {
		throw new BlockFileError('format', `A block was written in a form of v8 values that Node ${process.version} does not read.`, {
			cause: error,
		});
	}
};

const readEntries = (
	first: number,
	count: number,
	{statuses, flat, lengths}: BlockHead,
	bytes: Buffer,
): {values: readonly unknown[]; failures: Map<number, TaskFailure>} => {
	const failures = new Map<number, TaskFailure>();
	if (lengths.length === 0) return {values: flat, failures};
	const values = new Array<unknown>(count);
	const readValue = createSequentialReader(bytes);
	let numFlat = 0;
	let numSerialised = 0;
	let from = 0;
	for (let at = 0; at < count; at++) {
		if (statuses[at] === FLAT) {
			values[at] = flat[numFlat++];
			continue;
		}
		const to = from + (lengths[numSerialised++] ?? 0);
		const outcome = readValue(from, to);
		from = to;
		if (outcome.isRead && statuses[at] === APART) {
			values[at] = outcome.value;
			continue;
		}
		values[at] = undefined;
		failures.set(first + at, outcome.isRead ? (outcome.value as TaskFailure) : unreadable(outcome.error));
		statuses[at] = FAILURE;
	}
	return {values, failures};
};

/** A value that this Node can't read costs its own task, not the block. */
const unreadable = (error: unknown): TaskFailure => ({
	kind: 'result-unserialisable',
	message: `the value was written, but Node ${process.version} can't read it back: ${error instanceof Error ? error.message : String(error)}`,
});

const readOutputs = (rows: Float64Array): Map<number, OutputRange> => {
	const outputs = new Map<number, OutputRange>();
	for (let i = 0; i < rows.length; i += 5) {
		const [index, outFrom, outTo, errFrom, errTo] = rows.subarray(i, i + 5) as unknown as [number, number, number, number, number];
		outputs.set(index, {stdout: [outFrom, outTo], stderr: [errFrom, errTo]});
	}
	return outputs;
};
