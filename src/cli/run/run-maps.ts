/**
 * The maps of one `qmr run`: one for the jobs that any host may run, and one for each set of hosts. They lie in one directory, and each says in its run.json which run it
 * belongs to, so that whoever goes on with one of them finds the others. None is removed before all of the run have all their results.
 */
import {createHash, randomBytes} from 'node:crypto';
import type {Dirent} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {findMap} from '../../find-map.js';
import {parseJournal} from '../../journal.js';
import {JOURNAL, MANIFEST} from '../../layout.js';
import {lookAtOwner} from '../../look-at-owner.js';
import type {Manifest} from '../../manifest.js';
import type {PoolOptions} from '../../options.js';
import {realFiles} from '../../ports.js';
import {readManifest} from '../../read/read-manifest.js';
import {readWhole} from '../../read/read-whole.js';

export type RunMaps = {
	/** Where the map is whose jobs may run on these hosts; none for any. Equal sets have equal names in the same order. */
	readonly placeOf: (hosts: readonly string[]) => MapPlace;
	/** Those that are there to be gone on with. */
	readonly there: readonly {readonly hosts: readonly string[]; readonly workDir: string}[];
	/** What such a map says of itself. */
	readonly markOf: (hosts: readonly string[]) => NonNullable<Manifest['commandRun']>;
};

export type MapPlace =
	/** It is not there: begin it, with these options. */
	| {readonly kind: 'new'; readonly options: Pick<PoolOptions, 'workDir'>}
	/** Go on with it. */
	| {readonly kind: 'there'; readonly workDir: string}
	/** It is not there, but may have been. */
	| {readonly kind: 'unclear'; readonly problem: string};

/** @throws PoolError as `findMap`, when there is nothing to go on with. */
export const openRunMaps = async ({resume, workDir}: Pick<PoolOptions, 'resume' | 'workDir'>): Promise<RunMaps> => {
	if (resume !== undefined) return findRunMaps(resume);
	return {
		placeOf: hosts => ({
			kind: 'new',
			options: workDir === undefined ? {} : {workDir: hosts.length === 0 ? workDir : besides(workDir, hosts)},
		}),
		there: [],
		markOf: createMark(randomBytes(ID_BYTES).toString('hex')),
	};
};

const ID_BYTES = 8;

const besides = (workDir: string, hosts: readonly string[]): string => `${workDir}.${shorten(hosts.join('+')) || 'any'}`;

/** A file system takes 255 bytes as a name, of which the work_dir has its own part, and a suffix while it is made. */
const MAX_NAME_LENGTH = 100;

/** Of equal hosts the same. */
const shorten = (name: string): string =>
	name.length <= MAX_NAME_LENGTH
		? name
		: `${name.slice(0, MAX_NAME_LENGTH / 2)}-${createHash('sha256')
				.update(name)
				.digest('hex')
				.slice(0, 2 * ID_BYTES)}`;

const createMark =
	(id: string): RunMaps['markOf'] =>
	hosts => ({id, hosts});

const keyOf = (hosts: readonly string[]): string => hosts.join('|');

const findRunMaps = async (resume: string): Promise<RunMaps> => {
	const {manifest, workDir} = await findMap(resolve(resume));
	const {commandRun = {id: randomBytes(ID_BYTES).toString('hex'), hosts: []}} = manifest;
	const {places, unread} = await findBeside(workDir, commandRun.id);
	const wasMaybeThere = manifest.commandRun === undefined || unread !== undefined || (await mayHaveBeenThere(workDir));
	const known = new Map([...places, [keyOf(commandRun.hosts), {hosts: commandRun.hosts, workDir}] as const]);
	const [first = workDir] = [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place.workDir);
	return {
		placeOf: hosts => {
			const place = known.get(keyOf(hosts));
			if (place !== undefined) return {kind: 'there', workDir: place.workDir};
			// Of two processes that go on at a time only one can make it, whichever map they were told of.
			if (!wasMaybeThere) return {kind: 'new', options: {workDir: besides(first, hosts)}};
			const which = hosts.length === 0 ? 'that any host may run' : `for ${hosts.join(', ')}`;
			const why =
				unread === undefined
					? 'It was removed, as when all of them had succeeded, or they were never begun: then run them without `resume`'
					: `It may be there all the same, for ${unread} can't be read`;
			return {kind: 'unclear', problem: `not run: beside ${workDir} there is no work_dir of the jobs ${which}. ${why}`};
		},
		there: [...known.values()],
		markOf: createMark(commandRun.id),
	};
};

type Place = RunMaps['there'][number];

/** By their hosts. `unread`: what may be a map of this run, too, but nobody can say. */
const findBeside = async (workDir: string, id: string): Promise<{places: ReadonlyMap<string, Place>; unread: string | undefined}> => {
	const places = new Map<string, Place>();
	let unread: string | undefined;
	const parent = dirname(workDir);
	const list = (path: string): Promise<readonly Dirent[]> =>
		readdir(path, {withFileTypes: true}).catch((error: NodeJS.ErrnoException) => {
			// What others have closed to us, and what was removed a moment ago, is none of it.
			if (path === parent || !CLOSED_OR_GONE.has(error.code)) unread = path;
			return [];
		});
	for (const entry of await list(parent)) {
		if (!entry.isDirectory()) continue;
		const path = join(parent, entry.name);
		const found = await readManifest(path, realFiles);
		if (found.kind !== 'found') {
			if ((await list(path)).some(({name}) => name === MANIFEST)) unread = join(path, MANIFEST);
			continue;
		}
		const {commandRun, workDir: madeAs} = found.manifest;
		// A copy of one, or what was to become one, is not where its queue-jobs look for it.
		if (commandRun?.id === id && basename(madeAs) === entry.name)
			places.set(keyOf(commandRun.hosts), {hosts: commandRun.hosts, workDir: path});
	}
	return {places, unread};
};

const CLOSED_OR_GONE: ReadonlySet<string | undefined> = new Set(['EACCES', 'ENOENT']);

/**
 * Whether other maps of its run may have been removed, or may still be begun. A map that neither has all its tasks nor was ended was left while the input was still being read: none of
 * the run was removed by then.
 */
const mayHaveBeenThere = async (workDir: string): Promise<boolean> => {
	const owner = await lookAtOwner(workDir, await readdir(workDir));
	if (owner.kind === 'alive' || owner.kind === 'elsewhere') return true;
	const text = await readWhole(realFiles, join(workDir, JOURNAL));
	return text === undefined || parseJournal(text.toString()).some(({event}) => event === 'tasks-complete' || event === 'ended');
};
