/** What the task has found on the worker-node -> findings; pure. */
import {ADDRESS_SPACE_MIB, addressSpaceBeforeHeap} from '../node-memory.js';
import {type ClockOffset, middleOf, uncertaintyOf} from './compare-clocks.js';
import type {Finding} from './finding.js';
import {formatBytes} from './format-bytes.js';
import type {MachineFacts} from './machine-facts.js';
import type {WorkerFacts} from './visit-worker-node.js';

export type MeetingFacts = {
	readonly offset: ClockOffset;
	/** Of one file to the process-node and one back; undefined when one was not seen. */
	readonly exchangeMs: number | undefined;
	/** From the end of the task until its result was seen; null when that is not known. */
	readonly resultMs: number | null;
	/** The options of these names. */
	readonly graceMs: number | undefined;
	readonly answerWaitMs: number;
};

export const checkWorkerNode = (
	worker: WorkerFacts,
	here: Pick<MachineFacts, 'host' | 'nodeVersion' | 'umask'>,
	meeting: MeetingFacts,
): Finding[] => [
	checkHost(worker, here),
	checkFiles(worker, meeting),
	...(worker.host === here.host ? [] : [checkClock(worker.host, meeting.offset)]),
	checkMemory(worker),
	checkOpenFiles(worker),
	checkEnvironment(worker),
	checkScratch(worker),
	...checkUmask(worker, here),
];

const checkHost = ({host, nodeVersion}: WorkerFacts, here: Pick<MachineFacts, 'nodeVersion'>): Finding => {
	const found = `${host} runs Node ${nodeVersion}`;
	if (nodeVersion === here.nodeVersion) return {check: 'worker-node', level: 'ok', found};
	return {
		check: 'worker-node',
		level: 'note',
		found: `${found}, this machine ${here.nodeVersion}`,
		toDo: 'Nothing: only the major version must be the same.',
	};
};

/** What comes later than this makes maps slow, and may come later still on a bad day. */
const LATE_MS = 10_000;

/** The option's default. */
const GRACE_MS = 90_000;

/** A lost result is computed again, so the grace is to be far longer than what was measured once. */
const GRACE_FACTOR = 5;

const checkFiles = ({host, answerSeenMs}: WorkerFacts, {exchangeMs, resultMs, graceMs = GRACE_MS, answerWaitMs}: MeetingFacts): Finding => {
	const check = 'shared files';
	const lateMs = Math.max(exchangeMs ?? 0, resultMs ?? 0);
	const neededMs = Math.ceil((Math.max(lateMs, answerSeenMs === undefined ? answerWaitMs : 0) * GRACE_FACTOR) / 1000) * 1000;
	const toDo =
		neededMs > graceMs
			? `Give results more time before they count as lost: --grace-ms ${neededMs}. Or choose a file system that is quicker: --work-root DIR.`
			: `Leave --grace-ms as it is (${graceMs}) or make it longer. Or choose a file system that is quicker: --work-root DIR.`;
	if (answerSeenMs === undefined) {
		return {
			check,
			level: 'warning',
			found: `what this machine had written in the work_dir was not seen on ${host} within ${answerWaitMs / 1000} s`,
			toDo,
		};
	}
	if (lateMs > LATE_MS)
		return {check, level: 'warning', found: `files appear late on the other machine, after up to ${seconds(lateMs)}`, toDo};
	return {
		check,
		level: 'ok',
		found: `a file to this machine and one back took ${exchangeMs === undefined ? 'a time that is not known' : seconds(exchangeMs)}`,
	};
};

const MAX_SKEW_MS = 5000;

const checkClock = (host: string, offset: ClockOffset): Finding => {
	const check = 'clock';
	const aheadMs = -middleOf(offset);
	const uncertainty = `known to ±${seconds(uncertaintyOf(offset))}, for it is compared by the files that each has seen of the other`;
	const found = `the clock of ${host} is ${seconds(Math.abs(aheadMs))} ${aheadMs < 0 ? 'behind' : 'ahead'} (${uncertainty})`;
	const isSkewed = offset.lowMs > MAX_SKEW_MS || offset.highMs < -MAX_SKEW_MS;
	if (isSkewed) {
		return {
			check,
			level: 'warning',
			found,
			toDo: 'Tell your administrator: the clocks of a cluster are kept together by NTP. Times in log.jsonl and of outcomes are those of different clocks until then; results are right all the same.',
		};
	}
	return uncertaintyOf(offset) > MAX_SKEW_MS
		? {check, level: 'note', found, toDo: 'Files come too late here for a better answer.'}
		: {check, level: 'ok', found};
};

/** With less V8 spends its time collecting garbage, or ends: a small task of its own needs half of it. */
const SMALL_HEAP_BYTES = 256 * 2 ** 20;

const checkMemory = ({nodeVersion, addressSpaceBytes, cgroupMemoryBytes, heapLimitBytes}: WorkerFacts): Finding => {
	const check = 'memory';
	const limits = [
		addressSpaceBytes === undefined ? 'no limit of address space (h_vmem)' : `${formatBytes(addressSpaceBytes)} of address space (h_vmem)`,
		...(cgroupMemoryBytes === undefined ? [] : [`${formatBytes(cgroupMemoryBytes)} for its control group`]),
	];
	const found = `${limits.join(', ')}; the heap of V8 may have ${formatBytes(heapLimitBytes)}`;
	if (heapLimitBytes < SMALL_HEAP_BYTES) {
		const major = Number.parseInt(nodeVersion.replace('v', ''), 10);
		const before =
			addressSpaceBytes === undefined ? '' : `: of it Node ${major} takes ${addressSpaceBeforeHeap(major)} MB before its heap gets any`;
		return {check, level: 'warning', found, toDo: `Ask for more${before}. --resources memory=${askedFor(major)} is a good beginning.`};
	}
	if (cgroupMemoryBytes !== undefined && cgroupMemoryBytes < heapLimitBytes) {
		return {
			check,
			level: 'note',
			found,
			toDo: 'A task that fills its heap is killed before V8 collects its garbage: ask for memory, and the heap is planned to fit (--resources memory=4G).',
		};
	}
	return {check, level: 'ok', found};
};

/** What Node needs to start, and a gigabyte for the tasks; as `2G`. */
export const askedFor = (major: number): string => {
	const least = ADDRESS_SPACE_MIB[major] ?? Math.max(...Object.values(ADDRESS_SPACE_MIB));
	return `${Math.ceil((least + 1024) / 1024)}G`;
};

/** Node itself has 20 open. */
const FEW_OPEN_FILES = 256;

const checkOpenFiles = ({maxOpenFiles}: WorkerFacts): Finding => {
	const check = 'open files';
	if (maxOpenFiles === undefined) return {check, level: 'ok', found: 'no limit is told'};
	const found = `a task may have ${maxOpenFiles} files open`;
	if (maxOpenFiles >= FEW_OPEN_FILES) return {check, level: 'ok', found};
	return {check, level: 'warning', found, toDo: 'Ask your administrator for more (ulimit -n, on Grid Engine s_descriptors of the queue).'};
};

/** Linux allows 2 MiB for arguments and environment together, as a rule. */
const LARGE_ENVIRONMENT_BYTES = 2 ** 19;

const checkEnvironment = ({environmentBytes}: WorkerFacts): Finding => {
	const check = 'environment';
	const found = `tasks have ${formatBytes(environmentBytes)} of variables`;
	if (environmentBytes < LARGE_ENVIRONMENT_BYTES) return {check, level: 'ok', found};
	return {
		check,
		level: 'note',
		found: `${found}: programs that are started by them may be refused (argument list too long)`,
		toDo: 'Hand over only what is needed: --env NAME, several times if need be.',
	};
};

const checkScratch = ({scratch: {path, problem}, host}: WorkerFacts): Finding => {
	const check = 'scratch directory';
	if (problem === undefined) return {check, level: 'ok', found: `${path} (TMPDIR) can be written`};
	return {
		check,
		level: 'warning',
		found: `${path} (TMPDIR) can't be written on ${host}: ${problem}`,
		toDo: 'Set TMPDIR to a directory that is there on the nodes, or ask your administrator.',
	};
};

const checkUmask = ({umask}: WorkerFacts, here: Pick<MachineFacts, 'umask'>): Finding[] => {
	if (umask === here.umask) return [];
	const [theirs, ours] = [umask, here.umask].map(mask => mask.toString(8).padStart(4, '0'));
	return [
		{
			check: 'umask of tasks',
			level: 'note',
			found: `tasks run with the umask ${theirs}, not with the ${ours} of this process`,
			toDo: 'Something on the node sets it, as a file that BASH_ENV names.',
		},
	];
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
