/**
 * Every row of the list of what the ancestors can do, and of their faults, is named by the title of a test (`W2, N3: a qdel that
 * fails …`), so that none is lost when tests change. Rows have a letter and a number: Q and W are what queue_map_reduce can do and its
 * faults, P the faults of pypoolparty, C and X ClusterJob, B and Y Bakapara, V the workflow over SQS, H Python jobs under HTCondor.
 */
import {expect, test} from 'vitest';
import {listFiles, readText} from './source-files.js';

/** How many rows there are of each letter. */
const NUM_ROWS = {Q: 31, W: 24, P: 11, C: 20, X: 22, B: 17, Y: 12, V: 9, H: 13};

/**
 * Rows that are left out as a whole. Of others a part is: of C1 the rewriting of loops (its guesses lose points of the grid), of C7 the list of
 * installed packages, of C13 merging MATLAB structures, of Q20 the filter for stderr (only warnings of Node are told apart), and of Q29 packing results
 * into zip files (chunks keep the number of files small).
 */
const LEFT_OUT: Readonly<Record<string, string>> = {
	C14: 'fetches results from the cluster: here the file system is shared',
	C18: 'puts paths of the cluster into the text of a program: here paths are tasks',
	C19: 'logs in to clusters and installs languages there: here the queue is where the program is',
	B17: 'starts engines that wait for work: they would hold slots without computing',
	V9: 'downloads results in parallel: here the file system is shared',
	P5: 'compares without asserting in a test of its own',
	X3: 'binds Perl operators in the wrong order',
	X4: 'has the name of one experiment in its code',
	X14: 'edits records by options that only the sed of BSD has; here a record is only appended to',
	X20: 'leaves files out of what it copies: here nothing is copied',
	X22: 'has a private key in its repository: here there is no key',
};

const ROWS: readonly string[] = Object.entries(NUM_ROWS).flatMap(([letter, count]) =>
	Array.from({length: count}, (_, i) => `${letter}${i + 1}`),
);

/** The rows that titles in this text begin with. */
const namedBy = (text: string): string[] =>
	[...text.matchAll(/\(\s*['"`]((?:[A-Z]\d+[a-z]?, )*[A-Z]\d+[a-z]?): /g)].flatMap(([, ids = '']) => ids.split(', '));

test('every row is named by a test, or left out for a reason', () => {
	const tests = listFiles('test').filter(path => path.endsWith('.ts'));
	const named = new Set(tests.flatMap(path => namedBy(readText(path))));
	expect(ROWS.filter(row => !named.has(row))).toEqual(ROWS.filter(row => row in LEFT_OUT));
});

test('titles name their rows at their head, and nothing else does', () => {
	expect(namedBy("test('A1, N3: a qdel that fails', …")).toEqual(['A1', 'N3']);
	expect(namedBy('test.each([1])(\n\t`A12a, Q13: %s`, …')).toEqual(['A12a', 'Q13']);
	expect(namedBy("// W2: why\ntest('a qdel as in W2: it fails'); const range = 'W2: it'; expect('W2');")).toEqual([]);
});
