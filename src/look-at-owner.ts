/** Whether a process works in a work_dir, for somebody who only looks: nothing is claimed, and nobody is waited for. */
import {stat} from 'node:fs/promises';
import {ownerPath, parseOwnerName} from './layout.js';
import {OWNER_RELEASED, type Processes, parseIdentity} from './owner.js';
import {realFiles} from './ports.js';
import {realProcesses} from './processes.js';
import {readWhole} from './read/read-whole.js';

export type OwnerView =
	/** Its file can't be read, or there never was one. */
	| {readonly kind: 'unknown'}
	| ({readonly kind: 'alive' | 'dead'} & OwnerName)
	/** It has let go: it ended in order, or has left the map. */
	| ({readonly kind: 'released'} & OwnerName)
	/** It is on another machine, or in another container: all that can be seen from here is when it last showed that it lives. */
	| ({readonly kind: 'elsewhere'; readonly lastSignAt: Date} & OwnerName);

export type OwnerName = {readonly host: string; readonly pid: number};

/** @param names - Of the files of the work_dir. */
export const lookAtOwner = async (
	workDir: string,
	names: readonly string[],
	processes: Pick<Processes, 'isAlive'> = realProcesses,
): Promise<OwnerView> => {
	const newest = Math.max(0, ...names.flatMap(name => parseOwnerName(name) ?? []));
	if (newest === 0) return {kind: 'unknown'};
	const path = ownerPath(workDir, newest);
	const text = (await readWhole(realFiles, path))?.toString() ?? '';
	const end = text.indexOf('\n');
	const identity = parseIdentity(text.slice(0, Math.max(end, 0)));
	if (identity === undefined) return {kind: 'unknown'};
	const {host, pid} = identity;
	if (text.includes(OWNER_RELEASED, end)) return {kind: 'released', host, pid};
	const isAlive = processes.isAlive(identity);
	if (isAlive !== undefined) return {kind: isAlive ? 'alive' : 'dead', host, pid};
	return stat(path).then(
		({mtime}) => ({kind: 'elsewhere', lastSignAt: mtime, host, pid}),
		() => ({kind: 'unknown'}),
	);
};
