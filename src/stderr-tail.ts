/** The last lines of what an attempt, or one of its tasks, has written to stderr. */
import type {Files} from './ports.js';

const MAX_BYTES = 2048;
const MAX_LINES = 10;

/** @param range - Bytes from and to in the file; without it the whole file. */
export const readTail = async (
	files: Pick<Files, 'openSource'>,
	path: string,
	range?: readonly [from: number, to: number],
): Promise<string> => {
	try {
		const source = await files.openSource(path);
		try {
			const to = Math.min(range?.[1] ?? source.size, source.size);
			const from = Math.max(range?.[0] ?? 0, to - MAX_BYTES);
			if (from >= to) return '';
			const text = (await source.read(from, to - from)).toString('utf8');
			return text.trimEnd().split('\n').slice(-MAX_LINES).join('\n');
		} finally {
			await source.close();
		}
	} catch {
		// It only adds to a message: a job that never began has no such file.
		return '';
	}
};
