/** Where a command writes much: stdout, or a file that appears when it is whole. */
import {existsSync, statSync} from 'node:fs';
import {type FileHandle, link, open, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {CommandError, UsageError} from '../command-error.js';
import {toPlainText} from '../plain-text.js';

export type Output = {
	/** Resolves when more may be written. */
	readonly write: (text: string) => Promise<void>;
	/** All is written: now the file may appear. */
	readonly finish: () => Promise<void>;
	/** Leaves nothing behind of a file that was not finished. */
	readonly discard: () => Promise<void>;
};

/** @throws UsageError when the file exists, unless by force, or its directory does not; CommandError when it can't be made. */
export const openOutput = async (path: string | undefined, {force}: {readonly force: boolean}): Promise<Output> => {
	if (path === undefined) return toStream(process.stdout);
	const exists = (): UsageError => new UsageError(`${path} exists already. Name another file, or replace it by --force.`);
	if (!force && existsSync(path)) throw exists();
	// A device, as /dev/null, would be gone for everybody.
	if (existsSync(path) && !statSync(path).isFile()) throw new UsageError(`Expected the name of a file, got ${path}, which is none.`);
	if (!existsSync(dirname(path)))
		throw new UsageError(`${path} can't be written, for there is no directory ${dirname(path)}. Make it, or name another file.`);
	const scratch = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
	let handle: FileHandle | undefined = await open(scratch, 'wx').catch((error: Error) => {
		throw new CommandError(`${path} can't be written: ${error.message}`);
	});
	const close = async (): Promise<void> => {
		await handle?.close();
		handle = undefined;
	};
	return {
		write: async text => void (await handle?.writeFile(text)),
		finish: async () => {
			await handle?.sync();
			await close();
			// Unlike a rename it replaces nothing that came meanwhile; some file systems have no links.
			const isLinked =
				!force &&
				(await link(scratch, path).then(
					() => true,
					(error: NodeJS.ErrnoException) => {
						if (error.code === 'EEXIST') throw exists();
						return false;
					},
				));
			if (!isLinked) await rename(scratch, path);
		},
		discard: async () => {
			await close();
			await rm(scratch, {force: true});
		},
	};
};

/** On a terminal nothing of it is obeyed; elsewhere it is as it is. */
export const toStream = (stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>): Output => ({
	write: text =>
		new Promise(resolve => {
			// Whoever reads no more has ended us: see endWhenNobodyReads.
			stream.write(stream.isTTY ? toPlainText(text) : text, () => resolve());
		}),
	finish: async () => undefined,
	discard: async () => undefined,
});
