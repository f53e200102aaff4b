/** What this machine says -> findings; pure. */
import {tmpdir} from 'node:os';
import {describeFileSystem} from './file-systems.js';
import type {Finding} from './finding.js';
import {formatBytes} from './format-bytes.js';
import type {FileSystemFacts, MachineFacts, WorkRootFacts} from './machine-facts.js';

/**
 * @param hasScheduler - Whether queue-jobs run on other machines.
 * @param seenBy - Another machine, on which the work_dir of the round trip was seen.
 */
export const checkMachine = ({nodeVersion, umask, workRoot}: MachineFacts, hasScheduler: boolean, seenBy?: string): Finding[] => [
	checkNode(nodeVersion),
	checkUmask(umask),
	checkWorkRoot(workRoot, hasScheduler, seenBy),
	...(workRoot.problem === undefined ? checkSpace(workRoot) : []),
];

/** As `engines` in package.json says. */
const LEAST_NODE = [20, 19] as const;

const checkNode = (version: string): Finding => {
	const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
	const [leastMajor, leastMinor] = LEAST_NODE;
	if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return {check: 'node', level: 'ok', found: `Node ${version}`};
	return {
		check: 'node',
		level: 'error',
		found: `Node ${version} is too old`,
		toDo: `Install Node ${leastMajor}.${leastMinor} or later, here and on the nodes.`,
	};
};

const OWNER_BITS = 0o700;
const OTHERS_MAY_WRITE = 0o002;

const checkUmask = (umask: number): Finding => {
	const text = umask.toString(8).padStart(4, '0');
	if ((umask & OWNER_BITS) !== 0) {
		return {
			check: 'umask',
			level: 'warning',
			found: `the umask ${text} takes your own rights away from files that tasks make`,
			toDo: 'Set another one in your shell profile: umask 022.',
		};
	}
	if ((umask & OTHERS_MAY_WRITE) === 0) {
		return {
			check: 'umask',
			level: 'note',
			found: `with the umask ${text} everybody may write the files that tasks make (those of the work_dir are yours alone all the same)`,
			toDo: 'Unless that is meant, set another one in your shell profile: umask 022.',
		};
	}
	return {check: 'umask', level: 'ok', found: text};
};

const ELSEWHERE = 'Choose a directory that this machine and the nodes share, as below your home: --work-root DIR.';

const checkWorkRoot = ({path, problem, fileSystem}: WorkRootFacts, hasScheduler: boolean, seenBy: string | undefined): Finding => {
	const check = 'work root';
	if (problem !== undefined) {
		return {check, level: 'error', found: `no work_dir can be made in ${path}: ${problem}`, toDo: ELSEWHERE};
	}
	if (fileSystem === undefined) return {check, level: 'ok', found: path};
	const {name, kind} = describeFileSystem(fileSystem.type);
	const found = `${path} (${name})`;
	const isLocal = kind === 'memory' || kind === 'disk' || (kind === 'unknown' && isTemporary(path));
	if (!hasScheduler || !isLocal) return {check, level: 'ok', found};
	if (seenBy !== undefined) {
		return {
			check,
			level: 'note',
			found: `${found} is on this machine, and ${seenBy} sees it`,
			toDo: 'Nothing, if all nodes do.',
		};
	}
	if (kind === 'memory' || isTemporary(path)) {
		return {check, level: 'warning', found: `${found} is a place that every machine has for itself`, toDo: ELSEWHERE};
	}
	return {
		check,
		level: 'note',
		found: `${found} is on a disk of this machine`,
		toDo: `That is well if this machine serves it to the nodes. Otherwise: ${ELSEWHERE}`,
	};
};

const isTemporary = (path: string): boolean =>
	[tmpdir(), '/tmp', '/var/tmp', '/dev/shm'].some(root => path === root || path.startsWith(`${root}/`));

/** The smallest map takes 0.2 MB; with less than the first nothing can be written, with less than the second a map of some size fills it. */
const LEAST_FREE_BYTES = 10 * 2 ** 20;
const FEW_FREE_BYTES = 2 ** 30;
/** A map makes some files for each of up to a thousand chunks. */
const LEAST_FREE_FILES = 20;
const FEW_FREE_FILES = 10_000;

const checkSpace = ({path, fileSystem}: WorkRootFacts): Finding[] => {
	const {freeBytes, freeFiles} = fileSystem ?? ({} as Partial<FileSystemFacts>);
	if (freeBytes === undefined) return [];
	const check = 'space';
	const toDo =
		'Remove what is not needed (`qmr ls` shows old work_dirs, `qmr clean` removes them), or choose another place: --work-root DIR.';
	const isFull = freeBytes < LEAST_FREE_BYTES || (freeFiles ?? LEAST_FREE_FILES) < LEAST_FREE_FILES;
	const isNearlyFull = freeBytes < FEW_FREE_BYTES || (freeFiles ?? FEW_FREE_FILES) < FEW_FREE_FILES;
	const free = `${formatBytes(freeBytes)}${freeFiles === undefined ? '' : ` and ${freeFiles} files`} free for ${path}`;
	if (isFull) return [{check, level: 'error', found: `the file system is full: ${free}`, toDo}];
	if (isNearlyFull) return [{check, level: 'warning', found: `the file system is nearly full: ${free}`, toDo}];
	return [{check, level: 'ok', found: `${free} (a quota of yours is not seen by this)`}];
};
