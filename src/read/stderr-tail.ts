/** The last lines of what an attempt, or one of its tasks, has written to stderr. */
import type {OutputFile} from '../layout.js';
import type {Files} from '../ports.js';

const MAX_BYTES = 2048;
const MAX_LINES = 10;

/** So many are read of one attempt: when all of a million tasks fail, the first thousand tell enough. */
const MAX_TAILS = 1000;

/** Bytes from and to in the file. */
export type TailRange = readonly [from: number, to: number];

export const readTail = async (files: Pick<Files, 'openSource'>, {path, from}: OutputFile): Promise<string> =>
	(await readTails(files, path, [[from, Number.POSITIVE_INFINITY]]))[0] as string;

/** The last bytes of an attempt's output, with which a line may begin in its middle. */
export const readEnd = async (files: Pick<Files, 'openSource'>, {path, from: first}: OutputFile, maxBytes: number): Promise<string> => {
	try {
		const source = await files.openSource(path);
		try {
			const from = Math.min(Math.max(first, source.size - maxBytes), source.size);
			return (await source.read(from, source.size - from)).toString('utf8');
		} finally {
			await source.close();
		}
	} catch {
		return '';
	}
};

/** The tails of parts of one file, which is opened once. */
export const readTails = async (files: Pick<Files, 'openSource'>, path: string, ranges: readonly TailRange[]): Promise<string[]> => {
	const tails: string[] = new Array(ranges.length).fill('');
	if (ranges.length === 0) return tails;
	try {
		const source = await files.openSource(path);
		try {
			for (const [i, range] of ranges.slice(0, MAX_TAILS).entries()) {
				const to = Math.min(range[1], source.size);
				const from = Math.max(range[0], to - MAX_BYTES);
				if (from >= to) continue;
				const text = (await source.read(from, to - from)).toString('utf8');
				tails[i] = text.trimEnd().split('\n').slice(-MAX_LINES).join('\n');
			}
		} finally {
			await source.close();
		}
	} catch {
		// It only adds to a message: a job that never began has no such file.
	}
	return tails;
};
