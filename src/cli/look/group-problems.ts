/** What can't be read is told once with a count: a disk may have lost the same kind of file of a thousand chunks. Pure. */
import {toPlainLine} from '../plain-text.js';

const MAX_GROUPS = 20;

/** @param problems - Of files, as `/run/000000003.1.out: it is missing`. */
export const groupProblems = (problems: readonly string[], maxGroups: number = MAX_GROUPS): string[] => {
	const groups = new Map<string, {first: string; count: number}>();
	for (const problem of problems) {
		const key = problem.replace(FILE_OF_CHUNK, '/');
		const group = groups.get(key) ?? {first: problem, count: 0};
		groups.set(key, group);
		group.count++;
	}
	const lines = [...groups.values()].map(({first, count}) => toPlainLine(`${first}${count === 1 ? '' : ` (${count} times like that)`}`));
	const numMore = lines.length - maxGroups;
	return numMore > 0 ? [...lines.slice(0, maxGroups), `and ${numMore} other problems`] : lines;
};

/** Its number, and that of an attempt. */
const FILE_OF_CHUNK = /\/\d{9,}\.(?:\d+\.)?(?=[a-z]+: )/;
