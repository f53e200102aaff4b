/** The programs of a real Grid Engine, and what can be seen of its queue-jobs from outside. Whatever is missing rejects. */
import {execFile} from 'node:child_process';
import {hostname} from 'node:os';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {readWorkDir, type WorkDirRecord} from 'queue-map-reduce';
import {vi} from 'vitest';

const execute = promisify(execFile);

export type JournalLine = WorkDirRecord['journal'][number];

export type CallOptions = {
	readonly cwd?: string;
	readonly env?: NodeJS.ProcessEnv;
	/** The user who calls it; the caller itself by default. Only root may say so. */
	readonly as?: string;
};

/** Calls a program and gives what it printed to stdout; rejects when it fails. */
export const call = async (program: string, args: readonly string[] = [], {as, ...options}: CallOptions = {}): Promise<string> => {
	const [first, ...words] = as === undefined ? [program, ...args] : [...(await prefixFor(as)), program, ...args];
	return (await execute(first as string, words, {...options, encoding: 'utf8', maxBuffer: 2 ** 26})).stdout;
};

/** Where programs reach the queue by wrappers that only root may use, the script of the tests knows the way to the submit host. */
const prefixFor = async (user: string): Promise<string[]> => {
	const isSubmitHost = (await call('qconf', ['-ss'])).split('\n').includes(hostname());
	if (!isSubmitHost) return [fileURLToPath(new URL('../engines/grid-engine.sh', import.meta.url)), 'run-as', user];
	return ['setpriv', `--reuid=${user}`, `--regid=${(await call('id', ['-g', user])).trim()}`, '--clear-groups'];
};

export type ListedJob = {
	readonly id: string;
	readonly name: string;
	readonly owner: string;
	readonly state: string;
	readonly queue: string;
};

/** The queue-jobs of everybody. */
export const listJobs = async (): Promise<ListedJob[]> => {
	const xml = await call('qstat', ['-xml', '-u', '*']);
	return [...xml.matchAll(/<job_list.*?<\/job_list>/gs)].map(([text]) => {
		const field = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1] ?? '';
		const queue = field('queue_name').split('@')[0] as string;
		return {id: field('JB_job_number'), name: field('JB_name'), owner: field('JB_owner'), state: field('state'), queue};
	});
};

/** Waits until none of these queue-jobs is listed; an ended one is for a second or two. */
export const untilGone = (isMeant: (job: ListedJob) => boolean): Promise<void> =>
	vi.waitFor(
		async () => {
			const left = (await listJobs()).filter(isMeant);
			if (left.length > 0) throw new Error(`still in the queue: ${JSON.stringify(left)}`);
		},
		{timeout: 90_000, interval: 500},
	);

/** Waits until a map has noted such a line in its log.jsonl. */
export const untilNoted = (workDir: string, isMeant: (line: JournalLine) => boolean): Promise<JournalLine> =>
	vi.waitUntil(async () => (await readJournal(workDir)).find(isMeant), {timeout: 100_000, interval: 200});

const readJournal = async (workDir: string): Promise<readonly JournalLine[]> => {
	try {
		return (await readWorkDir(workDir)).journal;
	} catch {
		// The map has not made it yet.
		return [];
	}
};

/** The numbers of the queue-jobs of a session that the accounting knows, once it knows `atLeast` so many. */
export const untilAccounted = async (session: string, atLeast: number): Promise<ReadonlySet<string>> =>
	vi.waitUntil(
		async () => {
			const text = await call('qacct', ['-j', `q${session}#*`]).catch(() => '');
			const numbers = new Set([...text.matchAll(/^jobnumber\s+(\d+)/gm)].map(match => match[1] as string));
			return numbers.size >= atLeast && numbers;
		},
		{timeout: 90_000, interval: 500},
	);

export type Ending = {
	/** For the option `signal` of every map. */
	readonly signal: AbortSignal;
	/** Gives back the promise of a map, to be waited for in the end. */
	readonly watch: <T>(map: Promise<T>) => Promise<T>;
	/** Ends the maps that a failed test has left, and their queue-jobs. */
	readonly end: () => Promise<void>;
};

export const createEnding = (): Ending => {
	const controller = new AbortController();
	const maps: Promise<unknown>[] = [];
	return {
		signal: controller.signal,
		watch: map => {
			// A map that rejects before its test awaits it is not an error of its own.
			maps.push(map.catch(() => undefined));
			return map;
		},
		end: async () => {
			controller.abort(new Error('the test is over'));
			await Promise.allSettled(maps);
		},
	};
};

/** The name of an execution host. */
export const oneNode = async (): Promise<string> => (await call('qconf', ['-sel'])).split('\n')[0] as string;

export const deleteJobs = async (ids: readonly string[]): Promise<void> => {
	// It fails when one of them has ended already.
	if (ids.length > 0) await call('qdel', ids).catch(() => undefined);
};
