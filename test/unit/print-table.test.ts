import {expect, test} from 'vitest';
import {formatTable} from '../../src/cli/print-table.js';

const plain = {bold: (text: string | number | null | undefined) => `${text}`};

test('columns stand under their names, numbers at the right, and no line ends with blanks', () => {
	const rows = [
		{name: 'a', count: 1, why: undefined},
		{name: 'long name', count: 1000, why: 'because'},
	];
	const text = formatTable(
		rows,
		[
			{name: 'NAME', of: ({name}) => name},
			{name: 'COUNT', of: ({count}) => count, isNumber: true},
			{name: 'WHY', of: ({why}) => why},
		],
		plain,
	);
	expect(text).toBe(['NAME       COUNT  WHY', 'a              1', 'long name   1000  because'].join('\n'));
});

test('a cell is one line, whatever is in it, and nothing of it is obeyed by a terminal', () => {
	const text = formatTable(
		[{text: 'two\n  lines\tand \x1b[31mred\x1b[0m \x9b2J \u202eright'}],
		[{name: 'TEXT', of: ({text: cell}) => cell}],
		plain,
	);
	expect(text).toBe('TEXT\ntwo lines and \\x1b[31mred\\x1b[0m \\x9b2J \\u202eright');
});

test('without rows there is the head alone', () => {
	expect(formatTable([], [{name: 'A', of: () => 1}], plain)).toBe('A');
});
