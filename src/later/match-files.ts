/** Files below a directory whose paths there match a pattern: in each part of it `*` is any characters and `?` any one, but no `/`. */
import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {PoolError} from '../errors.js';

/** @throws PoolError `ERR_POOL_OPTION` for a pattern that leads out of the directory, or is of another language. */
export const parsePattern = (pattern: string): readonly RegExp[] => {
	const parts = pattern.split('/').filter((part, i, all) => !(part === '.' || (part === '' && i === all.length - 1)));
	if (parts.length === 0 || parts.some(part => part === '' || part === '..' || part.includes('\0')))
		throw new PoolError(
			'ERR_POOL_OPTION',
			`Expected the pattern of a file within a task's directory, as rows.csv or out/*.npy, got ${JSON.stringify(pattern)}.`,
		);
	if (parts.some(part => part.includes('**')))
		throw new PoolError(
			'ERR_POOL_OPTION',
			`Expected a pattern with * and ? within names, got ${JSON.stringify(pattern)}: name each directory, as */*.csv.`,
		);
	return parts.map(toExpression);
};

/** As shells do, names that begin with a dot are matched only by a pattern that does. */
const toExpression = (part: string): RegExp => {
	const text = part
		.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
		.replaceAll('*', '.*')
		.replaceAll('?', '.');
	return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${text}$`, 'su');
};

/** @returns Paths of files within the directory, in the order of their names; none when there is no such directory. */
export const matchFiles = async (directory: string, [part, ...rest]: readonly RegExp[], prefix = ''): Promise<string[]> => {
	if (part === undefined) return [];
	const names = (await readdir(join(directory, prefix)).catch(() => [])).filter(name => part.test(name)).sort();
	const found: string[] = [];
	for (const name of names) {
		const path = prefix === '' ? name : `${prefix}/${name}`;
		const stats = await stat(join(directory, path)).catch(() => undefined);
		if (rest.length === 0 && stats?.isFile()) found.push(path);
		if (rest.length > 0 && stats?.isDirectory()) found.push(...(await matchFiles(directory, rest, path)));
	}
	return found;
};
