import type {Files} from '../ports.js';

/** The bytes of a file; undefined when it can't be read. */
export const readWhole = async (files: Pick<Files, 'openSource'>, path: string): Promise<Buffer | undefined> => {
	try {
		const source = await files.openSource(path);
		try {
			return await source.read(0, source.size);
		} finally {
			await source.close();
		}
	} catch {
		return undefined;
	}
};
