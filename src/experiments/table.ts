/** Tasks and results as the rows of one table: what statistics and plots want. */
import {describe} from '../check-options.js';
import {PoolError, type TaskErrorKind} from '../errors.js';
import type {MapRun} from '../map-run.js';
import type {Outcome} from '../outcome.js';
import type {TaskRecord, WorkDirRecord} from '../read/read-work-dir.js';

/** What `table` gives. */
export type Table<Row> = {
	/** One for each task that has a result, in task order. */
	readonly rows: readonly Row[];
	/** The names of all columns; a row may lack some. */
	readonly columns: readonly string[];
	/** The tasks that have failed, in task order. Those that are not finished are in neither. */
	readonly failures: readonly TableFailure[];
};

export type TableFailure = {readonly itask: number; readonly kind: TaskErrorKind; readonly message: string};

/** A row of which nothing is known but that it has these columns. */
export type AnyRow = {readonly itask: number; readonly [column: string]: unknown};

/** The columns of a task `T` and of its result `R`. */
export type TableRow<T, R> = {readonly itask: number} & Renamed<Parts<T, 'task'>, 'itask', 'task'> &
	Renamed<Parts<R, 'result'>, 'itask' | keyof Parts<T, 'task'>, 'result'>;

/** A plain object has a column for each of its keys; any other value is one column. */
type Parts<Value, Name extends string> = Value extends object
	? Value extends Whole
		? {readonly [Key in Name]: Value}
		: Value
	: {readonly [Key in Name]: Value};

type Whole =
	| readonly unknown[]
	| Date
	| RegExp
	| Error
	| ArrayBuffer
	| ArrayBufferView
	| ReadonlyMap<unknown, unknown>
	| ReadonlySet<unknown>;

type Renamed<Values, Taken, Prefix extends string> = {
	readonly [Key in keyof Values & string as Key extends Taken ? `${Prefix}.${Key}` : Key]: Values[Key];
};

/**
 * Turns tasks and results into rows `{itask, ...parameters, ...outputs}`. A task that is a plain object gives a column for each of its keys, any other the column `task`; a result
 * likewise, or the column `result`. Where a result has the name of a parameter, or either that of `itask`, its column is `result.NAME` (or `task.itask`), in every row alike.
 *
 * @param source - What `readWorkDir` gives; or outcomes, as of `mapSettled` and `run.outcomes()`, or a run, for whose end it waits.
 * @param tasks - The tasks, for outcomes and runs, which have none: without them there are no columns of parameters.
 */
export function table(source: Pick<WorkDirRecord, 'tasks'>): Table<AnyRow>;
export function table<R>(source: readonly Outcome<R>[]): Table<TableRow<Record<never, never>, R>>;
export function table<T, R>(source: readonly Outcome<R>[], tasks: Iterable<T>): Table<TableRow<T, R>>;
export function table<R>(source: MapRun<R>): Promise<Table<TableRow<Record<never, never>, R>>>;
export function table<T, R>(source: MapRun<R>, tasks: Iterable<T>): Promise<Table<TableRow<T, R>>>;
export function table(
	source: Pick<WorkDirRecord, 'tasks'> | readonly Outcome<unknown>[] | MapRun<unknown>,
	tasks: Iterable<unknown> = [],
): Table<AnyRow> | Promise<Table<AnyRow>> {
	checkSource(source);
	if ('outcomes' in source) return source.outcomes().then(outcomes => makeTable(fromOutcomes(outcomes, tasks)));
	return makeTable('tasks' in source ? source.tasks : fromOutcomes(source as readonly Outcome<unknown>[], tasks));
}

/** What comes from JavaScript may be anything: as the results of `map`, which know nothing of their tasks. */
const checkSource = (source: unknown): void => {
	const isObject = typeof source === 'object' && source !== null;
	const isMeant = Array.isArray(source) ? source.every(isOutcome) : isObject && ('outcomes' in source || 'tasks' in source);
	if (isMeant) return;
	throw new PoolError(
		'ERR_POOL_OPTION',
		`Expected \`source\` to be what \`readWorkDir\` gives, the outcomes of \`mapSettled\`, or a run of \`submit\`, got ${Array.isArray(source) ? 'an array of something else' : describe(source)}.`,
	);
};

const isOutcome = (item: unknown): boolean => typeof item === 'object' && item !== null && 'status' in item && 'itask' in item;

type TableEntry = Pick<TaskRecord, 'itask' | 'input' | 'outcome'>;

const fromOutcomes = (outcomes: readonly Outcome<unknown>[], tasks: Iterable<unknown>): TableEntry[] => {
	const inputs = Array.from(tasks);
	return outcomes.map(outcome => ({
		itask: outcome.itask,
		// Without tasks an empty object has no columns.
		input: inputs.length === 0 ? {} : inputs[outcome.itask],
		outcome: outcome.status === 'fulfilled' ? outcome : {status: 'rejected', kind: outcome.reason.kind, message: outcome.reason.reason},
	}));
};

const makeTable = (entries: readonly TableEntry[]): Table<AnyRow> => {
	const columns = createColumns();
	for (const {input, outcome} of entries) if (outcome?.status === 'fulfilled') columns.see(input, outcome.value);
	return {
		rows: entries.flatMap(({itask, input, outcome}) =>
			outcome?.status === 'fulfilled' ? [columns.toRow(itask, input, outcome.value)] : [],
		),
		columns: columns.names(),
		failures: entries.flatMap(({itask, outcome}) =>
			outcome?.status === 'rejected' ? [{itask, kind: outcome.kind, message: outcome.message}] : [],
		),
	};
};

/** Finds the names of all columns before the first row is made: a name means the same in every row. */
export type Columns = {
	/** Takes note of the columns of a task and its result. */
	readonly see: (task: unknown, result: unknown) => void;
	readonly names: () => string[];
	/** Whether each of their columns was seen. */
	readonly knows: (task: unknown, result: unknown) => boolean;
	/** Of a task and a result that were seen. */
	readonly toRow: (itask: number, task: unknown, result: unknown) => AnyRow;
};

export const createColumns = (): Columns => {
	const ofTasks = new Set<string>();
	const ofResults = new Set<string>();
	let names: {readonly tasks: ReadonlyMap<string, string>; readonly results: ReadonlyMap<string, string>} | undefined;
	const name = (): NonNullable<typeof names> => {
		if (names !== undefined) return names;
		const used = new Set([ITASK]);
		// Those of tasks first: they stay what they are wherever that can be.
		names = {tasks: nameColumns(ofTasks, 'task', used), results: nameColumns(ofResults, 'result', used)};
		return names;
	};
	return {
		see: (task, result) => {
			const before = ofTasks.size + ofResults.size;
			for (const key of Object.keys(partsOf(task, 'task'))) ofTasks.add(key);
			for (const key of Object.keys(partsOf(result, 'result'))) ofResults.add(key);
			if (ofTasks.size + ofResults.size > before) names = undefined;
		},
		names: () => [ITASK, ...name().tasks.values(), ...name().results.values()],
		knows: (task, result) =>
			Object.keys(partsOf(task, 'task')).every(key => ofTasks.has(key)) &&
			Object.keys(partsOf(result, 'result')).every(key => ofResults.has(key)),
		toRow: (itask, task, result) => {
			const {tasks, results} = name();
			const row: Record<string, unknown> = {[ITASK]: itask};
			for (const [key, value] of Object.entries(partsOf(task, 'task'))) define(row, tasks.get(key) ?? key, value);
			for (const [key, value] of Object.entries(partsOf(result, 'result'))) define(row, results.get(key) ?? key, value);
			return row as AnyRow;
		},
	};
};

/** Gives every key a name that no other column has. */
const nameColumns = (keys: ReadonlySet<string>, prefix: string, used: Set<string>): Map<string, string> => {
	const names = new Map<string, string>();
	for (const key of keys) {
		let name = key;
		while (used.has(name) || (name !== key && keys.has(name))) name = `${prefix}.${name}`;
		used.add(name);
		names.set(key, name);
	}
	return names;
};

const ITASK = 'itask';

const partsOf = (value: unknown, name: string): Readonly<Record<string, unknown>> => (isPlainObject(value) ? value : {[name]: value});

export const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> => {
	if (typeof value !== 'object' || value === null) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
};

/** Not an assignment: the name may be `__proto__`. */
const define = (row: object, name: string, value: unknown): void => {
	Object.defineProperty(row, name, {value, enumerable: true, configurable: true, writable: true});
};
