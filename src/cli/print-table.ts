/** A table for people: columns under their names, without lines around them. */
import Table from 'cli-table3';
import {toPlainLine} from './plain-text.js';
import type {Colours} from './terminal.js';

export type Column<Row> = {
	readonly name: string;
	readonly of: (row: Row) => string | number | undefined;
	readonly isNumber?: boolean;
};

/** Undefined is an empty cell; a line break or a tab in a cell is a space, and what a terminal would obey is shown. */
export const formatTable = <Row>(rows: readonly Row[], columns: readonly Column<Row>[], {bold}: Pick<Colours, 'bold'>): string => {
	const table = new Table({
		chars: NO_LINES,
		style: {head: [], border: [], 'padding-left': 0, 'padding-right': 0},
		head: columns.map(({name}) => bold(name)),
		colAligns: columns.map(({isNumber = false}) => (isNumber ? 'right' : 'left')),
	});
	for (const row of rows) table.push(columns.map(({of}) => toPlainLine(String(of(row) ?? '')).replaceAll('\t', ' ')));
	// The last column needs no blanks behind it.
	return table.toString().replaceAll(/ +$/gm, '');
};

const NO_LINES = {
	...{top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': ''},
	...{left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  '},
};
