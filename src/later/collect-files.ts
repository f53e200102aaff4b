/** Gathers the files that tasks have put into their `taskDir`: of each task those of the attempt that counts. */
import {createReadStream, type Stats} from 'node:fs';
import {constants, copyFile, mkdir, open, rename, rm, stat} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {PoolError} from '../errors.js';
import {rerunPath, taskDirPath} from '../layout.js';
import {openWorkDir} from '../read/open-work-dir.js';
import {readTasks} from '../read/read-work-dir.js';
import {matchFiles, parsePattern} from './match-files.js';

export type TaskFile = {
	readonly itask: number;
	/** Absolute. */
	readonly path: string;
	/** Within the task's directory. */
	readonly name: string;
};

export type FoundFiles = {
	readonly numTasks: number;
	/** In task order. */
	readonly files: readonly TaskFile[];
	/** Tasks that have a result, and no such file. */
	readonly lacking: readonly number[];
	/** Tasks that have no result, whatever files they have. */
	readonly unfinished: readonly number[];
};

/** @throws PoolError `ERR_POOL_OPTION` for what is no pattern, `ERR_POOL_WORK_DIR` for what is no work_dir. */
export const findTaskFiles = async (path: string, pattern: string): Promise<FoundFiles> => {
	const parts = parsePattern(pattern);
	const map = await openWorkDir(path);
	const files: TaskFile[] = [];
	const lacking: number[] = [];
	const unfinished: number[] = [];
	let numTasks = 0;
	for await (const tasks of readTasks(map, {values: false})) {
		for (const {itask, state, attempt, rerun} of tasks) {
			numTasks++;
			if (state !== 'done' || attempt === undefined) {
				unfinished.push(itask);
				continue;
			}
			const workDir = rerun === undefined ? map.workDir : rerunPath(map.workDir, rerun);
			const directory = taskDirPath(workDir, itask, attempt);
			const names = await matchFiles(directory, parts);
			if (names.length === 0) lacking.push(itask);
			for (const name of names) files.push({itask, path: join(directory, name), name});
		}
	}
	return {numTasks, files, lacking, unfinished};
};

export type Copies = {readonly copied: number /** They were there already, just so. */; readonly same: number};

/**
 * Copies files as `<itask>-<name>` into a directory, the number with as many digits as the last task's.
 *
 * @throws PoolError `ERR_POOL_OPTION`, before anything is copied, when two files would have one name, or another file is there; unless `force` is set.
 */
export const copyTaskFiles = async ({files, numTasks}: FoundFiles, out: string, {force}: {readonly force: boolean}): Promise<Copies> => {
	const digits = String(Math.max(0, numTasks - 1)).length;
	const targets = new Map<string, string>();
	for (const {itask, path, name} of files) {
		const target = join(resolve(out), `${String(itask).padStart(digits, '0')}-${name.replaceAll('/', '-')}`);
		const other = targets.get(target);
		if (other !== undefined)
			throw refuse(`Expected files of distinct names, but ${other} and ${path} would both be ${target}. Collect them by two patterns.`);
		targets.set(target, path);
	}
	const toCopy: (readonly [from: string, to: string])[] = [];
	for (const [target, path] of targets) {
		const there = await stat(target).catch(() => undefined);
		if (there !== undefined && !force && (await isSameFile(path, target))) continue;
		if (there !== undefined && !force)
			throw refuse(`Expected ${target} not to exist, but another file is there. Choose another directory, or replace it by --force.`);
		requireFile(target, there);
		toCopy.push([path, target]);
	}
	await mkdir(resolve(out), {recursive: true});
	for (const [from, to] of toCopy) {
		const part = `${to}.${process.pid}.part`;
		try {
			// The mode goes with it.
			await copyFile(from, part, constants.COPYFILE_EXCL);
			await rename(part, to);
		} catch (error) {
			await rm(part, {force: true});
			throw error;
		}
	}
	return {copied: toCopy.length, same: targets.size - toCopy.length};
};

export type Joined = {
	/** Files whose first lines are not those of the first file, though they were left out. */
	readonly otherHeaders: readonly TaskFile[];
};

/**
 * Joins text files in task order: the first as a whole, of all others the lines after the header. A file that does not end with a newline gets one.
 *
 * @param header - How many lines it has.
 * @throws PoolError `ERR_POOL_OPTION` when there is a file of the name `out`, unless `force` is set.
 */
export const joinTaskFiles = async (
	{files}: FoundFiles,
	out: string,
	{header, force}: {readonly header: number; readonly force: boolean},
): Promise<Joined> => {
	const target = resolve(out);
	const there = await stat(target).catch(() => undefined);
	if (!force && there !== undefined) throw refuse(`Expected ${target} not to exist. Choose another name, or replace it by --force.`);
	requireFile(target, there);
	const part = `${target}.${process.pid}.part`;
	const handle = await open(part, 'wx');
	const otherHeaders: TaskFile[] = [];
	try {
		let first: string | undefined;
		for (const file of files) {
			let head = '';
			let last = NEWLINE;
			const isFirst = first === undefined;
			for await (const {bytes, isHead} of splitHead(file.path, header)) {
				if (isHead) head += bytes.toString('latin1');
				if (isHead && !isFirst) continue;
				last = bytes.at(-1) ?? last;
				await handle.appendFile(bytes);
			}
			if (last !== NEWLINE) await handle.appendFile('\n');
			first ??= head;
			if (head.trimEnd() !== first.trimEnd()) otherHeaders.push(file);
		}
		await handle.close();
		await rename(part, target);
		return {otherHeaders};
	} catch (error) {
		await handle.close().catch(() => undefined);
		await rm(part, {force: true});
		throw error;
	}
};

const NEWLINE = 0x0a;

/** Piece by piece: first those of so many lines, then the rest. */
const splitHead = async function* (path: string, numLines: number): AsyncGenerator<{readonly bytes: Buffer; readonly isHead: boolean}> {
	let left = numLines;
	for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
		let from = 0;
		while (left > 0 && from < piece.length) {
			const end = piece.indexOf(NEWLINE, from);
			if (end !== -1) left--;
			const to = end === -1 ? piece.length : end + 1;
			yield {bytes: piece.subarray(from, to), isHead: true};
			from = to;
		}
		if (from < piece.length) yield {bytes: piece.subarray(from), isHead: false};
	}
};

const PIECE_BYTES = 2 ** 20;

const isSameFile = async (a: string, b: string): Promise<boolean> => {
	const [first, second] = [await open(a), await open(b)];
	try {
		if ((await first.stat()).size !== (await second.stat()).size) return false;
		const [one, other] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
		for (let position = 0; ; ) {
			const {bytesRead} = await first.read(one, 0, PIECE_BYTES, position);
			if (bytesRead === 0) return true;
			const {bytesRead: same} = await second.read(other, 0, bytesRead, position);
			if (!one.subarray(0, same).equals(other.subarray(0, same)) || same === 0) return false;
			position += same;
		}
	} finally {
		await first.close();
		await second.close();
	}
};

/** A directory can't be replaced, and a device, as /dev/null, would be gone for everybody. */
const requireFile = (target: string, there: Stats | undefined): void => {
	if (there?.isFile() === false) throw refuse(`Expected ${target} to be the name of a file, but what is there is none.`);
};

const refuse = (message: string): PoolError => new PoolError('ERR_POOL_OPTION', message);
