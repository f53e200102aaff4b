/** An engine that somebody else has written, behind a border at which everything it says is checked: the steps of a map get what the type promises. */
import type {ArrayJobs, Engine, JobEnd, JobEndKind, JobState, JobStatus, SubmitOutcome} from './engines/engine.js';
import {PoolError} from './errors.js';
import {formatDuration} from './format-duration.js';
import {setPatientTimeout} from './patient-timeout.js';

export type Guard = {
	/** So long one answer may take. */
	readonly timeoutMs: number;
	/** One line for the person at the terminal. */
	readonly tell: (line: string) => void;
};

/**
 * The same engine, which now keeps its promises: of a submission that was answered by nonsense it is not known whether it is in the queue (`unanswered`), nonsense instead
 * of a listing is no answer, and what should never reject does not.
 */
export const guardEngine = (engine: Engine, {timeoutMs, tell}: Guard): Engine => {
	const {name, statusCost, outlivesProcess, maxDefaultChunks, arrays} = engine;
	const told = new Set<string>();
	/** One id for two queue-jobs would make two chunks of one queue-job. */
	const ids = new Set<string>();

	const say = (what: string): string => `the engine ${name}: ${what}`;
	/** For what goes on without it: nobody else would tell who has written the engine. */
	const tellOnce = (what: string): void => {
		if (told.has(what)) return;
		told.add(what);
		tell(`queue-map-reduce: ${say(what)}`);
	};
	const call = <T>(member: string, numJobs: number, body: () => Promise<T>): Promise<T> =>
		within(Math.min(timeoutMs * Math.max(numJobs, 1), MAX_DELAY_MS), `\`${member}\` gave no answer`, body);
	const check = (outcome: unknown, member: string): SubmitOutcome => checkOutcome(outcome, ids, what => say(`\`${member}\` ${what}`));

	/** Only a PoolError says that nothing can ever be done. */
	const answer = async <T>(question: () => Promise<T>, otherwise: (reason: string) => T): Promise<T> => {
		try {
			return await question();
		} catch (error) {
			if (error instanceof PoolError) throw error;
			return otherwise(say(wordsOf(error)));
		}
	};
	const refuse = (reason: string): never => {
		throw new Error(reason);
	};

	const guardArrays = (given: ArrayJobs): ArrayJobs => ({
		elementVariable: given.elementVariable,
		maxElements: async () => {
			try {
				const number = await call('arrays.maxElements', 1, async () => given.maxElements());
				if (Number.isSafeInteger(number) && number >= 1) return number;
				tellOnce(`\`arrays.maxElements\` gave ${show(number)}, which is no number of elements: every queue-job is submitted by itself`);
			} catch (error) {
				tellOnce(`\`arrays.maxElements\` failed (${wordsOf(error)}): every queue-job is submitted by itself`);
			}
			return 1;
		},
		submit: request =>
			answer(
				async () => {
					const outcome = check(await call('arrays.submit', 1, async () => given.submit(request)), 'arrays.submit');
					if (outcome.kind === 'untried') return {kind: 'temporary', reason: say('`arrays.submit` has not tried it')};
					if (outcome.kind === 'submitted') checkElements(given, outcome.id, request.numElements);
					return outcome;
				},
				reason => ({kind: 'unanswered', reason}),
			),
		...(given.describe === undefined ? {} : {describe: given.describe.bind(given)}),
		elementId: (arrayId, element) => given.elementId(arrayId, element),
	});

	return {
		name,
		statusCost,
		outlivesProcess,
		maxDefaultChunks,
		...(arrays === undefined ? {} : {arrays: guardArrays(arrays)}),
		...(engine.describe === undefined ? {} : {describe: engine.describe.bind(engine)}),
		submit: requests =>
			answer(
				async (): Promise<readonly SubmitOutcome[]> => {
					const given: unknown = await call('submit', requests.length, async () => engine.submit(requests));
					if (!Array.isArray(given)) throw new Error(`\`submit\` gave ${show(given)}, which is no array of outcomes`);
					// Which is whose?
					if (given.length > requests.length) throw new Error(`\`submit\` gave ${given.length} outcomes for ${requests.length} requests`);
					const outcomes = requests.map((_, i) =>
						i < given.length
							? check(given[i], 'submit')
							: ({kind: 'unanswered', reason: say(`\`submit\` gave ${given.length} outcomes for ${requests.length} requests`)} as const),
					);
					// Nothing would ever be submitted, and nothing said.
					return outcomes[0]?.kind === 'untried'
						? [{kind: 'temporary', reason: say('`submit` has not tried the first of its requests')}, ...outcomes.slice(1)]
						: outcomes;
				},
				reason => requests.map(() => ({kind: 'unanswered', reason})),
			),
		status: notBeforeMs =>
			answer(async () => {
				const given: unknown = await call('status', 1, async () => engine.status(notBeforeMs));
				const fault = findListingFault(given);
				return fault === undefined ? (given as readonly JobStatus[]) : refuse(`\`status\` ${fault}`);
			}, refuse),
		remove: removed =>
			answer(() => call('remove', Math.ceil(removed.length / REMOVED_IN_TIME), async () => engine.remove(removed)), refuse),
		explain: async job => {
			try {
				const end: unknown = await call('explain', 1, async () => engine.explain(job));
				const fault = end === undefined ? undefined : findEndFault(end);
				if (fault === undefined) return end as JobEnd | undefined;
				tellOnce(`\`explain\` ${fault}`);
			} catch (error) {
				tellOnce(`\`explain\` failed (${wordsOf(error)}), which it must not`);
			}
			return undefined;
		},
	};
};

/** So many removals must be possible in the time of one answer. */
const REMOVED_IN_TIME = 100;
// setTimeout takes no longer delays.
const MAX_DELAY_MS = 2 ** 31 - 1;

/** What comes later than that is nobody's. */
const within = async <T>(timeoutMs: number, late: string, body: () => Promise<T>): Promise<T> => {
	let stopWaiting: (() => void) | undefined;
	const timeout = new Promise<never>((_, reject) => {
		stopWaiting = setPatientTimeout(() => reject(new Error(`${late} within ${formatDuration(timeoutMs)}`)), timeoutMs);
	});
	try {
		return await Promise.race([body(), timeout]);
	} finally {
		stopWaiting?.();
	}
};

const checkOutcome = (outcome: unknown, ids: Set<string>, say: (what: string) => string): SubmitOutcome => {
	const unanswered = (what: string): SubmitOutcome => ({kind: 'unanswered', reason: say(what)});
	if (!isRecord(outcome)) return unanswered(`gave ${show(outcome)}, which is no outcome`);
	const {kind, id, reason} = outcome;
	switch (kind) {
		case 'submitted':
			if (!isText(id)) return unanswered(`gave ${show(id)} as an id, which is no text`);
			if (ids.has(id)) return unanswered(`gave the id ${show(id)} a second time`);
			ids.add(id);
			return {kind, id};
		case 'temporary':
		case 'full':
		case 'permanent':
		case 'unanswered':
			return {kind, reason: isText(reason) ? reason : say('gave no reason')};
		case 'untried':
			return {kind};
		default:
			return unanswered(`gave an outcome of the kind ${show(kind)}, which there is not`);
	}
};

const checkElements = (arrays: ArrayJobs, arrayId: string, numElements: number): void => {
	const ids = new Set<unknown>();
	for (let element = 1; element <= numElements; element++) {
		const id: unknown = arrays.elementId(arrayId, element);
		if (!isText(id)) throw new Error(`\`arrays.elementId\` gave ${show(id)} for element ${element}, which is no text`);
		if (ids.has(id)) throw new Error(`\`arrays.elementId\` gave ${show(id)} for two elements`);
		ids.add(id);
	}
};

const findListingFault = (listing: unknown): string | undefined => {
	if (!Array.isArray(listing)) return `gave ${show(listing)}, which is no array of queue-jobs`;
	const ids = new Set<unknown>();
	for (const job of listing as readonly unknown[]) {
		if (!isRecord(job)) return `listed ${show(job)}, which is no queue-job`;
		const {id, name, state, rawState, host, element} = job;
		if (!isText(id)) return `listed a queue-job with the id ${show(id)}, which is no text`;
		if (ids.has(id)) return `listed the id ${show(id)} twice`;
		ids.add(id);
		if (!isText(name)) return `listed the queue-job ${id} with the name ${show(name)}, which is no text`;
		if (!Object.hasOwn(STATES, String(state))) return `listed the queue-job ${id} in the state ${show(state)}, which there is not`;
		if (typeof rawState !== 'string') return `listed the queue-job ${id} with the rawState ${show(rawState)}, which is no text`;
		if (host !== undefined && !isText(host)) return `listed the queue-job ${id} on the host ${show(host)}, which is no text`;
		if (element !== undefined && !(Number.isSafeInteger(element) && (element as number) >= 1))
			return `listed the queue-job ${id} as element ${show(element)}, which is no number from 1`;
	}
	return undefined;
};

const findEndFault = (end: unknown): string | undefined => {
	if (!isRecord(end)) return `gave ${show(end)}, which explains nothing`;
	const {failed, kind, reason, host, isPermanent} = end;
	if (typeof failed !== 'boolean') return `gave ${show(failed)} as \`failed\`, which is not true or false`;
	if (kind !== undefined && !Object.hasOwn(END_KINDS, String(kind))) return `gave the kind ${show(kind)}, which there is not`;
	if (typeof reason !== 'string') return `gave ${show(reason)} as a reason, which is no text`;
	if (host !== undefined && !isText(host)) return `gave ${show(host)} as a host, which is no text`;
	return isPermanent === undefined || typeof isPermanent === 'boolean'
		? undefined
		: `gave ${show(isPermanent)} as \`isPermanent\`, which is not true or false`;
};

/** As records, so that the compiler finds one that is missing. */
const STATES: Readonly<Record<JobState, true>> = {
	pending: true,
	running: true,
	held: true,
	suspended: true,
	error: true,
	deleting: true,
	unreachable: true,
};
const END_KINDS: Readonly<Record<JobEndKind, true>> = {
	'out-of-memory': true,
	'wall-time': true,
	killed: true,
	'node-lost': true,
	'start-failed': true,
	deleted: true,
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : `${show(error)} was thrown`);

const MAX_SHOWN = 60;

const show = (value: unknown): string => {
	if (typeof value === 'string') return JSON.stringify(value.slice(0, MAX_SHOWN));
	if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
	return typeof value === 'function' ? 'a function' : String(value).slice(0, MAX_SHOWN);
};
