/** Reads the listing of Grid Engine's qstat. */
import type {JobState, JobStatus} from './engine.js';
import {formatElementId, parseElements} from './grid-engine-elements.js';
import {cutJobLists, type ListedJob} from './grid-engine-job-lists.js';

export type Listing = {
	readonly jobs: readonly JobStatus[];
	/** Of the listed queue instances some are named, and all are on nodes that the master does not reach. */
	readonly reachesNone: boolean;
};

export type ParseOptions = {readonly user: string; readonly errorStateIndicator: string};

/**
 * The user's queue-jobs in the output of `qstat -f -xml`: those on a node lie in its queue instance, with its state, the others in the inner `job_info`.
 *
 * @throws Error when the text is not a whole, well-formed listing: empty, cut off, or something else. Then it says nothing about any job.
 */
export const parseListing = async (xml: string, {user, errorStateIndicator}: ParseOptions): Promise<Listing> => {
	const {XMLParser, XMLValidator} = await import('fast-xml-parser');
	const {rest, runs} = cutJobLists(xml);
	const validity = XMLValidator.validate(rest);
	if (validity !== true) throw new Error(`qstat printed no well-formed XML: ${validity.err.msg}`);
	const parser = new XMLParser({
		// A job named `1e5` keeps its name.
		parseTagValue: false,
		ignoreAttributes: true,
		// One job is an object else, and two are an array.
		isArray: name => LISTS.has(name),
	});
	const document = (parser.parse(rest) as {job_info?: readonly unknown[]}).job_info?.[0];
	if (!isListing(document)) throw new Error('qstat printed XML that is no listing: it has no job_info with a queue_info and a job_info');
	const instances = document.queue_info.flatMap(part => part['Queue-List'] ?? []);
	const found = findJobs(document, undefined);
	const seen = found.flatMap(({job}) => job.run ?? []);
	if (seen.length !== runs.length || new Set(seen).size !== runs.length)
		throw new Error('qstat printed queue-jobs where a listing has none');
	return {
		jobs: found
			.flatMap(({job, instance}) => (job.run === undefined ? [job] : (runs[Number(job.run)] ?? [])).map(one => ({job: one, instance})))
			.filter(({job}) => job.JB_owner === user)
			.flatMap(({job, instance}) => toJobStatuses(job, instance, errorStateIndicator)),
		reachesNone: instances.length > 0 && instances.every(isUnreachable),
	};
};

/** As `parseListing`, which is spared when a text says what the one before said. */
export const createListingReader = (options: ParseOptions): ((xml: string) => Promise<Listing>) => {
	let last: {readonly text: string; readonly listing: Listing} | undefined;
	return async xml => {
		const text = xml.replaceAll(IDLE_VALUES, '');
		if (last?.text !== text) last = {text, listing: await parseListing(xml, options)};
		return last.listing;
	};
};

/** They change from answer to answer, and nobody looks at them. */
const IDLE_VALUES = /<(load_avg|JAT_prio)>[^<>&]*<\/\1>/g;

/** Both parts are there when nobody has a queue-job, too. Other answers of qstat are a job_info with something else in it. */
const isListing = (document: unknown): document is {readonly queue_info: readonly {readonly 'Queue-List'?: readonly QueueInstance[]}[]} =>
	typeof document === 'object' && document !== null && 'queue_info' in document && 'job_info' in document;

const LISTS = new Set(['job_list', 'queue_info', 'job_info', 'Queue-List']);

/** A queue on one node, as `all.q@node1`; `state` is absent when all is well. */
type QueueInstance = {readonly name: string; readonly state?: string};

type PlacedJob = {readonly job: ListedJob; readonly instance: QueueInstance | undefined};

const findJobs = (node: unknown, instance: QueueInstance | undefined): PlacedJob[] => {
	if (Array.isArray(node)) return node.flatMap(item => findJobs(item, instance));
	if (typeof node !== 'object' || node === null) return [];
	return Object.entries(node).flatMap(([name, value]) => {
		if (name === 'job_list') return (value as ListedJob[]).map(job => ({job, instance}));
		return name === 'Queue-List' ? (value as QueueInstance[]).flatMap(item => findJobs(item, item)) : findJobs(value, instance);
	});
};

/** `u` for unknown: the master has not heard of the node for `max_unheard`. Also as `au`, `du`, `Eu`. */
const isUnreachable = ({state}: QueueInstance): boolean => state?.includes('u') ?? false;

const toJobStatuses = (job: ListedJob, instance: QueueInstance | undefined, errorStateIndicator: string): JobStatus[] => {
	const {JB_job_number: id, JB_name: name, state: letters, tasks, queue_name: queueName} = job;
	if (id === undefined || name === undefined || letters === undefined) {
		throw new Error('qstat printed a queue-job without its number, name or state');
	}
	// Without `-f` it stands in the queue-job.
	const host = (instance?.name ?? queueName)?.split('@')[1];
	const state = toJobState(letters, errorStateIndicator);
	// What is being deleted stays so: it is not waited for. All others can't be doing what the letters say of them.
	const isLostFromSight = instance !== undefined && isUnreachable(instance) && state !== 'deleting';
	const status: JobStatus = {
		id,
		name,
		state: isLostFromSight ? 'unreachable' : state,
		rawState: isLostFromSight ? `${letters}, node ${instance.state}` : letters,
		...(host === undefined || host === '' ? {} : {host}),
	};
	if (tasks === undefined || tasks === '') return [status];
	return parseElements(tasks).map(element => ({...status, id: formatElementId(id, element), element}));
};

/**
 * The letters of qstat(1): d deletion, E error, h hold, r running, R restarted, s S T suspended, t transferring, w waiting. What is not known means "still
 * there". `dEqw` is deleted and still listed: its error is dealt with already.
 */
export const toJobState = (letters: string, errorStateIndicator: string): JobState => {
	if (letters.includes('d')) return 'deleting';
	if (letters.includes(errorStateIndicator)) return 'error';
	if (/[sST]/.test(letters)) return 'suspended';
	// `hr` is held from running again, and runs.
	if (/[rt]/.test(letters)) return 'running';
	return letters.includes('h') ? 'held' : 'pending';
};
