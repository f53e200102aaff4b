/** `qmr ls`: the maps that there are. */
import {existsSync} from 'node:fs';
import {basename, join, resolve} from 'node:path';
import {Command} from 'commander';
import {DEFAULT_WORK_ROOT, MANIFEST} from '../../layout.js';
import {shellWord} from '../../quote-for-shell.js';
import {UsageError} from '../command-error.js';
import {defaultRoot, listWorkDirs} from '../find-work-dir.js';
import type {DamagedMap, ListedMap, ReadableMap} from '../look/list-maps.js';
import {formatAgeShort, formatFunctionShort} from '../look/words.js';
import {toPlainLine} from '../plain-text.js';
import {formatTable} from '../print-table.js';
import {coloursFor, print, printJson, say} from '../terminal.js';

export const lsCommand = (): Command =>
	new Command('ls')
		.summary('the maps that there are')
		.description('Lists the maps below a directory, the newest last: what they are, how far they are, and whether anybody works in them.')
		.argument('[root...]', 'directories in which work_dirs are made (default: `workRoot` of qmr.config.json, else .qmr)')
		.option('-t, --tag <tag>', 'only maps with this tag; may be given several times', (tag: string, tags: readonly string[] = []) => [
			...tags,
			tag,
		])
		.option('--json', 'print JSON')
		.addHelpText('after', EXAMPLES)
		.action(
			async (given: readonly string[], {tag: tags = [], json = false}: {readonly tag?: readonly string[]; readonly json?: boolean}) => {
				const {listMaps} = await import('../look/list-maps.js');
				const missing = given.find(root => !existsSync(root));
				const roots = given.length === 0 ? [defaultRoot()] : given;
				if (missing !== undefined)
					throw new UsageError(`Expected a directory with work_dirs, got ${JSON.stringify(missing)}, which is not there.`);
				// A work_dir may be named, and its parent, too.
				const found = new Map<string, NamedMap>();
				for (const root of roots)
					for (const map of await listMaps(root))
						if (!found.has(map.workDir)) found.set(map.workDir, {...map, name: nameOf(map, root, given.length > 0)});
				const maps = [...found.values()]
					.filter(map => tags.length === 0 || (map.kind === 'map' && tags.every(tag => map.tags.includes(tag))))
					.sort((a, b) => compare(beginningOf(a), beginningOf(b)));
				if (json) printJson(maps.map(toJson));
				else if (maps.length > 0) print(formatMaps(maps, Date.now()));
				else {
					const withTags = tags.length === 0 ? '' : ` with the tag ${tags.join(' and ')}`;
					const elsewhere =
						found.size > 0 ? undefined : (given.length === 0 ? ['.'] : given.map(root => join(root, DEFAULT_WORK_ROOT))).find(hasMaps);
					const hint = elsewhere === undefined ? '' : ` There is in ${resolve(elsewhere)}: qmr ls ${shellWord(elsewhere)}`;
					say(`There is no map${withTags} in ${roots.map(root => resolve(root)).join(' or ')}.${hint}`);
				}
			},
		);

/** What is printed of a map leads the other commands to it. */
type Named = {readonly name: string};
type NamedMap = ListedMap & Named;

/** Where they look by themselves its own name will do, unless that is a path to another one. */
const nameOf = ({workDir}: ListedMap, root: string, isGiven: boolean): string => {
	const name = basename(workDir);
	if (!isGiven && !existsSync(join(name, MANIFEST))) return name;
	return workDir === resolve(root) ? root : join(root, name);
};

const hasMaps = (directory: string): boolean => {
	try {
		return listWorkDirs(directory).length > 0;
	} catch {
		return false;
	}
};

/** Damaged ones first: they are old, as a rule, and nobody knows. */
const beginningOf = (map: ListedMap): string => (map.kind === 'map' ? map.startedAt : '');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const toJson = ({name: _name, ...map}: NamedMap): object => {
	if (map.kind === 'damaged') return {session: map.session, workDir: map.workDir, problem: map.problem};
	const {kind: _kind, counts, lastEvent = null, ...rest} = map;
	return {...rest, tasks: counts, lastEvent};
};

const formatMaps = (maps: readonly NamedMap[], nowMs: number): string => {
	const readable = maps.filter(({kind}) => kind === 'map') as readonly (ReadableMap & Named)[];
	const damaged = maps.filter(({kind}) => kind === 'damaged') as readonly (DamagedMap & Named)[];
	const colours = coloursFor(process.stdout);
	const table = formatTable(
		readable,
		[
			{name: 'MAP', of: ({name}) => name},
			{name: 'AGE', of: ({startedAt}) => formatAgeShort(Date.parse(startedAt), nowMs), isNumber: true},
			{name: 'FUNCTION', of: map => shorten(formatFunctionShort(map.function))},
			{name: 'ENGINE', of: ({engine}) => engine},
			{name: 'DONE', of: ({counts}) => counts.done, isNumber: true},
			{name: 'FAILED', of: ({counts}) => counts.failed, isNumber: true},
			...(readable.some(({counts}) => counts.cancelled > 0)
				? [{name: 'CANCELLED', of: ({counts}: ReadableMap) => counts.cancelled, isNumber: true}]
				: []),
			{name: 'RUN', of: ({counts}) => counts.running, isNumber: true},
			{name: 'PEND', of: ({counts}) => counts.pending, isNumber: true},
			{name: 'TOTAL', of: ({counts}) => counts.total, isNumber: true},
			{name: 'PROCESS', of: map => formatProcess(map, nowMs)},
			{name: 'LAST EVENT', of: ({lastEvent}) => lastEvent && `${lastEvent.event} ${formatAgeShort(Date.parse(lastEvent.time), nowMs)} ago`},
			{name: 'MESSAGE', of: ({message, tags}) => [...tags.map(tag => `[${tag}]`), shorten(message)].join(' ')},
		],
		colours,
	);
	const problems = damaged.map(({name, problem}) => colours.yellow(`${toPlainLine(name)}: ${toPlainLine(problem)}`));
	return [...(readable.length === 0 ? [] : [table]), ...problems].join('\n');
};

/** As many characters of a message as a list has room for. */
const MAX_LENGTH = 40;

const shorten = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text);

const formatProcess = ({owner, counts: {running, pending}}: ReadableMap, nowMs: number): string => {
	const isOver = running + pending === 0;
	switch (owner.kind) {
		case 'alive':
			return 'works';
		case 'elsewhere':
			return `on ${owner.host}, ${formatAgeShort(owner.lastSignAt.getTime(), nowMs)} ago`;
		case 'dead':
			return 'died';
		default:
			return isOver ? 'ended' : 'left';
	}
};

const EXAMPLES = `
Examples:
  qmr ls                        the maps in ./.qmr
  qmr ls ~/*/.qmr --tag figure-3
  qmr ls --json | jq '.[] | select(.tasks.failed > 0) | .workDir'

PROCESS tells whether anybody works in it: works, ended, left (qmr resume goes on with it), died (so does it there), or on which other machine and when it gave its last sign of life.
`;
