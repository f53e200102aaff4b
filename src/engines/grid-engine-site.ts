/** What must be known of a site before a queue-job can ask for slots or GPUs there: qconf is asked, once, and only when it is needed. */
import {PoolError} from '../errors.js';
import type {ArrayRequest, JobRequest, JobResources, SubmitOutcome} from './engine.js';
import {checkPlaced, type PlacedRequest, type PlacedResources} from './grid-engine-resources.js';
import {NO_ANSWER, NO_MASTER, type Submitter} from './grid-engine-submit.js';
import type {ProgramResult} from './run-program.js';

export type Placement<Request extends JobRequest> =
	| {readonly kind: 'placed'; readonly request: PlacedRequest<Request>}
	/** The master did not answer: the same may be asked again later. */
	| {readonly kind: 'temporary'; readonly reason: string};

export type SiteOptions = {
	/** Absolute; undefined when there is none. */
	readonly qconfPath: string | undefined;
	readonly queueName: string | undefined;
	readonly qsubArgs: readonly string[];
};

/**
 * Completes what a queue-job asks for by what this site needs to know, as the name of a parallel environment.
 *
 * @param run - Calls a program.
 * @returns A function that throws PoolError `ERR_POOL_OPTION` when what is asked for can't be had, before anything is submitted.
 */
export const createPlacing = (
	run: (program: string, args: readonly string[]) => Promise<ProgramResult>,
	{qconfPath, queueName, qsubArgs}: SiteOptions,
): (<Request extends JobRequest>(request: Request) => Promise<Placement<Request>>) => {
	/** The answers so far, by what was asked. A site changes more rarely than a pool is made. */
	const answers = new Map<string, string | undefined>();
	const ask = async (...args: readonly string[]): Promise<string | undefined> => {
		const key = args.join(' ');
		if (answers.has(key)) return answers.get(key);
		if (qconfPath === undefined) return undefined;
		const {exitCode, stdout, stderr, ending} = await run(qconfPath, args);
		if (ending !== 'exited' || NO_ANSWER.test(stderr) || NO_MASTER.test(stderr))
			throw new NoAnswer(`qconf: ${stderr.trim() || 'it did not answer in time'}`);
		answers.set(key, exitCode === 0 ? stdout : undefined);
		return answers.get(key);
	};
	const findParallelEnvironment = async ({slots = 1, queue = queueName}: JobResources): Promise<string> => {
		const names = words((await ask('-spl')) ?? '');
		const described: {readonly name: string; readonly isOnOneHost: boolean; readonly maxSlots: number}[] = [];
		// One call after the other: a site may have many.
		for (const name of names) described.push({name, ...parseParallelEnvironment((await ask('-sp', name)) ?? '')});
		// `short.q@node1` and `*@@big` are parts of queues.
		const queues = (queue ?? '*').split(',').map(part => part.replace(/@.*/s, ''));
		const listed = parsePeLists((await ask('-sq', queues.join(','))) ?? '');
		const fitting = described.filter(({name, isOnOneHost, maxSlots}) => isOnOneHost && maxSlots >= slots && listed.has(name));
		const [best] = fitting.sort((a, b) => rank(a.name) - rank(b.name));
		if (best !== undefined) return best.name;
		const where = queue === undefined ? '' : ` in the queue ${queue}`;
		throw new PoolError(
			'ERR_POOL_OPTION',
			`Expected \`parallelEnvironment\` in \`resources\` to be named: Grid Engine gives ${slots} slots only in a parallel environment, and ${
				qconfPath === undefined
					? 'there is no qconf to ask for one'
					: `qconf tells of none${where} that puts them on one host (allocation_rule $pe_slots)`
			}. Ask your administrator for its name, and pass {slots: ${slots}, parallelEnvironment: 'NAME'}; or ask for one slot.`,
		);
	};
	const place = async (resources: JobResources): Promise<PlacedResources> => {
		const {slots = 1, memoryBytes, gpus, parallelEnvironment} = resources;
		const isNamed = parallelEnvironment !== undefined || qsubArgs.includes('-pe');
		const found = slots === 1 || isNamed ? undefined : await findParallelEnvironment(resources);
		const isCountNeeded = gpus !== undefined || (slots > 1 && memoryBytes !== undefined);
		const complexes = isCountNeeded ? await ask('-sc') : undefined;
		if (complexes !== undefined && gpus !== undefined) checkGpuComplex(complexes);
		const countedOnce = complexes === undefined ? undefined : findCountedOnce(complexes);
		const placed = {
			...resources,
			...(found === undefined ? {} : {parallelEnvironment: found}),
			...(countedOnce === undefined ? {} : {countedOnce}),
		};
		checkPlaced(placed);
		return placed;
	};
	return async request => {
		try {
			return {kind: 'placed', request: {...request, resources: await place(request.resources)}};
		} catch (error) {
			if (error instanceof NoAnswer) return {kind: 'temporary', reason: error.message};
			throw error;
		}
	};
};

/** A submitter that completes requests before it hands them on; none of several when one of them can't be had. */
export const submitPlaced = (
	{submitAll, submitArray, describe}: Submitter,
	place: <Request extends JobRequest>(request: Request) => Promise<Placement<Request>>,
): {
	readonly submitAll: (requests: readonly JobRequest[]) => Promise<readonly SubmitOutcome[]>;
	readonly submitArray: (request: ArrayRequest) => Promise<SubmitOutcome>;
	/** @throws Error when the master does not answer. */
	readonly describe: (request: JobRequest | ArrayRequest) => Promise<readonly string[]>;
} => ({
	submitAll: async requests => {
		const placed: PlacedRequest[] = [];
		for (const request of requests) {
			const placement = await place(request);
			if (placement.kind === 'temporary') return requests.map((_, i) => (i === 0 ? placement : {kind: 'untried'}));
			placed.push(placement.request);
		}
		return submitAll(placed);
	},
	submitArray: async request => {
		const placement = await place(request);
		return placement.kind === 'temporary' ? placement : submitArray(placement.request);
	},
	describe: async request => {
		const placement = await place(request);
		if (placement.kind === 'temporary') throw new Error(placement.reason);
		return describe(placement.request);
	},
});

class NoAnswer extends Error {}

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

/** Long values go on in a next line, after a backslash. */
const readAttribute = (text: string, key: string): string | undefined =>
	new RegExp(`^${key}\\s+(.*)$`, 'm').exec(text.replaceAll(/\\\n\s*/g, ''))?.[1]?.trim();

const parseParallelEnvironment = (text: string): {isOnOneHost: boolean; maxSlots: number} => ({
	isOnOneHost: readAttribute(text, 'allocation_rule') === '$pe_slots',
	maxSlots: Number(readAttribute(text, 'slots') ?? 0),
});

/** All that queues name in `pe_list`, also for some hosts only: `make smp,[@big=make mpi]`. */
const parsePeLists = (text: string): ReadonlySet<string> => {
	const lists = text.replaceAll(/\\\n\s*/g, ' ').matchAll(/^pe_list\s+(.*)$/gm);
	return new Set([...lists].flatMap(([, list = '']) => list.split(/[\s,=[\]]+/)));
};

/** Sites tend to call it so; others may be meant for one program. */
const USUAL_NAMES = ['smp', 'shm', 'threaded', 'thread', 'openmp', 'omp', 'multicore', 'shared'];

const rank = (name: string): number => {
	const at = USUAL_NAMES.findIndex(usual => name.toLowerCase().includes(usual));
	return at === -1 ? USUAL_NAMES.length : at;
};

/** Lines of `qconf -sc`: name, shortcut, type, relop, requestable, consumable, … */
const parseComplexes = (text: string): {name: string; consumable: string}[] =>
	text
		.split('\n')
		.filter(line => !line.startsWith('#'))
		.map(words)
		.flatMap(([name, , , , , consumable]) => (name === undefined || consumable === undefined ? [] : [{name, consumable}]));

const findCountedOnce = (text: string): ReadonlySet<string> =>
	new Set(parseComplexes(text).flatMap(({name, consumable}) => (consumable === 'JOB' ? [name] : [])));

const checkGpuComplex = (text: string): void => {
	const names = parseComplexes(text).map(({name}) => name);
	if (names.includes('gpu')) return;
	const similar = names.filter(name => /gpu|cuda/i.test(name));
	throw new PoolError(
		'ERR_POOL_OPTION',
		`\`gpus\` in \`resources\` asks for \`-l gpu=…\`, which this Grid Engine does not know. ${
			similar.length === 0 ? 'Ask your administrator how GPUs are asked for' : `It has ${similar.join(', ')}`
		}: pass that by \`qsubArgs\`, as ['-l', '${similar[0] ?? 'NAME'}=1'].`,
	);
};
