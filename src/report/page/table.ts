/** A table that is sorted by the buttons in its head, and shows a page of its rows at a time. */
import {element, scrollable} from './dom.js';

export type Column<Row> = {
	readonly title: string;
	readonly isNumber?: boolean;
	readonly isWide?: boolean;
	/** What it is sorted by; null is last, always. */
	readonly value: (row: Row) => number | string | null;
	/** @default The value. */
	readonly show?: (row: Row) => string | Node;
};

export type TableInput<Row> = {
	readonly caption: string;
	readonly columns: readonly Column<Row>[];
	readonly rows: readonly Row[];
	/** Index of the column that it is sorted by at first, the largest first. */
	readonly sortedBy?: number;
};

export type LiveTable<Row> = {readonly node: HTMLElement; readonly setRows: (rows: readonly Row[]) => void};

const PAGE_LENGTH = 20;

export const createTable = <Row>({caption, columns, rows, sortedBy}: TableInput<Row>): LiveTable<Row> => {
	let all = rows;
	let sorted: readonly Row[] = rows;
	let column = sortedBy;
	let isAscending = sortedBy === undefined;
	let from = 0;
	const body = element('tbody');
	const heads = columns.map(({title, isNumber = false}, i) => {
		const button = element('button', {type: 'button'}, title, element('span', {class: 'arrow', 'aria-hidden': 'true'}));
		button.addEventListener('click', () => {
			isAscending = column === i ? !isAscending : !isNumber;
			column = i;
			from = 0;
			update();
		});
		return element('th', {scope: 'col', ...(isNumber ? {class: 'number'} : {})}, button);
	});
	const status = element('span', {class: 'muted small', role: 'status'});
	const previous = element('button', {type: 'button'}, 'Previous');
	const next = element('button', {type: 'button'}, 'Next');
	const pager = element('div', {class: 'toolbar', role: 'group', 'aria-label': `Pages of: ${caption}`}, previous, next, status);
	const turnTo = (first: number): void => {
		if (first < 0 || first >= sorted.length) return;
		from = first;
		show();
	};
	previous.addEventListener('click', () => turnTo(from - PAGE_LENGTH));
	next.addEventListener('click', () => turnTo(from + PAGE_LENGTH));

	const update = (): void => {
		const by = column === undefined ? undefined : columns[column];
		sorted = by === undefined ? all : sortRows(all, by.value, isAscending);
		for (const [i, head] of heads.entries()) {
			if (i === column) head.setAttribute('aria-sort', isAscending ? 'ascending' : 'descending');
			else head.removeAttribute('aria-sort');
		}
		show();
	};

	const show = (): void => {
		const page = sorted.slice(from, from + PAGE_LENGTH);
		body.replaceChildren(...page.map(row => element('tr', {}, ...columns.map(each => toCell(each, row)))));
		const to = from + page.length;
		status.textContent = sorted.length === 0 ? 'none' : `${from + 1} to ${to} of ${sorted.length.toLocaleString('en')}`;
		// Not `disabled`: a button that has the focus would lose it at the last page.
		previous.setAttribute('aria-disabled', String(from === 0));
		next.setAttribute('aria-disabled', String(to >= sorted.length));
		pager.hidden = all.length <= PAGE_LENGTH;
	};

	update();
	const table = element('table', {}, element('caption', {}, caption), element('thead', {}, element('tr', {}, ...heads)), body);
	return {
		node: element('div', {}, scrollable(caption, table), pager),
		setRows: replaced => {
			all = replaced;
			from = 0;
			update();
		},
	};
};

const toCell = <Row>({value, show, isNumber = false, isWide = false}: Column<Row>, row: Row): HTMLElement => {
	const shown = show === undefined ? String(value(row) ?? '') : show(row);
	const kind = isNumber ? 'number' : isWide ? 'wide' : '';
	return element('td', kind === '' ? {} : {class: kind}, shown);
};

const sortRows = <Row>(rows: readonly Row[], value: (row: Row) => number | string | null, isAscending: boolean): Row[] => {
	const keyed = rows.map(row => ({row, key: value(row)}));
	const direction = isAscending ? 1 : -1;
	keyed.sort(({key: a}, {key: b}) => {
		if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
		if (typeof a === 'number' && typeof b === 'number') return direction * (a - b);
		return direction * COLLATOR.compare(String(a), String(b));
	});
	return keyed.map(({row}) => row);
};

const COLLATOR = new Intl.Collator('en', {numeric: true});
