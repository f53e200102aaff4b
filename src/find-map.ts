/** The map in a directory, or why there is none that can be gone on with. */
import {readdir, stat} from 'node:fs/promises';
import {basename, dirname} from 'node:path';
import {PoolError} from './errors.js';
import {wholeOf} from './later/claim-map.js';
import {JOURNAL, MANIFEST} from './layout.js';
import type {Manifest} from './manifest.js';
import {realFiles} from './ports.js';
import {readManifest} from './read/read-manifest.js';
import {trustWorkDir} from './trust-work-dir.js';

export type FoundMap = {
	readonly manifest: Manifest;
	/** As its queue-jobs know it. */
	readonly workDir: string;
};

/**
 * @param workDir - Absolute.
 * @throws PoolError `ERR_POOL_RESUME` when there is no whole map, or it was made elsewhere; `ERR_POOL_WORK_DIR` when others could have written there.
 */
export const findMap = async (workDir: string): Promise<FoundMap> => {
	const refuse = (message: string): PoolError => new PoolError('ERR_POOL_RESUME', message, {workDir});
	const names = await readdir(workDir).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== 'ENOENT') throw refuse(`${workDir} can't be read: ${error.message}`);
		return undefined;
	});
	if (names === undefined) throw refuse(await explainAbsence(workDir));
	await trustWorkDir(workDir);
	const found = await readManifest(workDir, realFiles);
	switch (found.kind) {
		case 'missing':
			if (names.includes(MANIFEST)) throw refuse(`${workDir}/${MANIFEST} can't be read.`);
			// It goes with the work_dir, when all has succeeded.
			if (names.includes(JOURNAL))
				throw refuse(`${workDir} has no ${MANIFEST} any more: its process was ended while it removed it, or somebody else has.`);
			throw refuse(`${workDir} has no ${MANIFEST}: ${NEVER_COMPLETE}`);
		case 'damaged':
		case 'other-format':
			throw refuse(found.reason);
		case 'found':
			break;
	}
	const {manifest} = found;
	// By its other names on this machine it is the same; queue-jobs know it by this one.
	if (await isSameDirectory(workDir, manifest.workDir)) {
		await trustWorkDir(manifest.workDir);
		return {manifest, workDir: manifest.workDir};
	}
	if (!names.includes(JOURNAL)) throw refuse(`${workDir} was to become ${manifest.workDir}, and did not: ${NEVER_COMPLETE}`);
	throw refuse(`${workDir} was made as ${manifest.workDir}, where its queue-jobs look for it. Move it back.`);
};

/**
 * A map that can be run again: of a rerun of some tasks the first map, for reruns of a rerun are reruns of that.
 *
 * @returns `within`: the tasks of the rerun that was named.
 * @throws PoolError as `findMap`.
 */
export const findMapToRerun = async (workDir: string): Promise<FoundMap & {readonly within: readonly number[] | undefined}> => {
	const named = await findMap(workDir);
	const whole = wholeOf(named.manifest);
	const map = whole === undefined ? named : await findMap(whole);
	const {launch, processNode} = map.manifest as Partial<Manifest>;
	if (launch === undefined || processNode === undefined)
		throw new PoolError(
			'ERR_POOL_RESUME',
			`${map.workDir}/${MANIFEST} does not say how its Node was started: another version has written it, or somebody has changed it.`,
			{
				workDir,
			},
		);
	return {...map, within: named.manifest.itasks};
};

const NEVER_COMPLETE =
	'the tasks of its map were never all written, so nothing was submitted. Remove it, and call `map` without `resume` to begin anew.';

/** While tasks are written the work_dir has another name, beside its place. */
const explainAbsence = async (workDir: string): Promise<string> => {
	const siblings = await readdir(dirname(workDir)).catch(() => []);
	const scratch = siblings.find(name => name.startsWith(`.${basename(workDir).replaceAll('.', '_').slice(0, 40)}-`));
	return scratch === undefined
		? `There is no directory ${workDir}. A work_dir is removed when every task has succeeded, and it comes to be only when its tasks are written, of a stream the first ones: if they never were, nothing was submitted.`
		: `There is no directory ${workDir}, but ${dirname(workDir)}/${scratch}: ${NEVER_COMPLETE}`;
};

const isSameDirectory = async (a: string, b: string): Promise<boolean> => {
	if (a === b) return true;
	try {
		const [first, second] = [await stat(a), await stat(b)];
		return first.dev === second.dev && first.ino === second.ino;
	} catch {
		return false;
	}
};
