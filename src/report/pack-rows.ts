/** Rows <-> columns: ten thousand rows as JSON are three times shorter without their names. */

export type PackedRows<Row extends object> = {
	readonly numRows: number;
	readonly columns: {readonly [Name in keyof Row]: readonly Row[Name][]};
};

export const packRows = <Row extends object>(rows: readonly Row[]): PackedRows<Row> => {
	const names = Object.keys(rows[0] ?? {}) as (keyof Row)[];
	const columns = Object.fromEntries(names.map(name => [name, rows.map(row => row[name])])) as unknown as PackedRows<Row>['columns'];
	return {numRows: rows.length, columns};
};

export const unpackRows = <Row extends object>({numRows, columns}: PackedRows<Row>): Row[] => {
	const entries = Object.entries(columns) as [keyof Row, readonly unknown[]][];
	return Array.from({length: numRows}, (_, i) => Object.fromEntries(entries.map(([name, values]) => [name, values[i]])) as Row);
};
