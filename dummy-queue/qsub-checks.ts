import {hostname} from 'node:os';
import {deny} from './answer.js';
import {elementsOf} from './elements.js';
import type {QsubOptions} from './qsub-arguments.js';
import type {KnownNames} from './state.js';

const LONGEST_NAME = 512;
const REFUSED_CHARACTERS: Record<string, string> = {':': 'Colon', '@': 'At', '\\': 'Backslash', '*': 'Asterisk', '?': 'Questionmark'};

/** Refuses the names that Grid Engine refuses, in its words. */
export const checkJobName = (name: string): void => {
	if (name === '') {
		throw deny('job rejected cause there is no job_name in the request');
	}

	if (name.length > LONGEST_NAME) {
		throw deny(`job name too long, maximum allowed length is ${LONGEST_NAME} characters`);
	}

	for (const [character, word] of Object.entries(REFUSED_CHARACTERS)) {
		if (name.includes(character)) {
			throw deny(`${word} ('${character}') not allowed in objectname`);
		}
	}

	if (/^\d/.test(name)) {
		throw deny(`denied: "${name}" is not a valid object name (cannot start with a digit)`);
	}

	if (['all', 'none', 'template'].includes(name.toLowerCase())) {
		throw deny(`Keyword ("${name.toUpperCase()}") not allowed as objectname`);
	}

	// The real master fails on blanks and on what is not ASCII, and this is all it says.
	if (/[^\x21-\x7e]/.test(name)) {
		throw deny('Error reading answer list from qmaster');
	}
};

/** In a path of `-o` and `-e` a colon ends a host's name and a comma separates paths. */
export const checkOutputPath = (value: string | undefined): void => {
	const [first = '', ...others] = value?.split(',') ?? [];
	if (others.length > 0) {
		throw deny('ERROR! two files are specified for the same host');
	}

	const host = first.includes(':') ? first.slice(0, first.indexOf(':')) : '';
	if (host !== '' && host !== hostname() && host !== 'localhost') {
		throw deny(`can't resolve hostname "${host}"`);
	}
};

/** Refuses the arrays that Grid Engine refuses. */
export const checkArray = ({range, maxRunning}: QsubOptions, maxElements: number): void => {
	if (range === undefined && maxRunning !== undefined) {
		throw deny('invalid "task concurrency" value in job request');
	}

	if (range?.first === 0) {
		throw deny('job rejected: 0 is an invalid task id');
	}

	if (range !== undefined && elementsOf(range).length > maxElements) {
		throw deny(`job rejected: you tried to submit a job with more than ${maxElements} tasks`);
	}
};

/** Every queue knows these. */
const HOST_RESOURCES: readonly string[] = ['h', 'hostname'];

/** Refuses unknown names, where the state says which are known. */
export const checkKnown = (known: KnownNames, options: QsubOptions): void => {
	for (const queue of options.queue?.split(',') ?? []) {
		if (isUnknown(known.queues, queue.split('@')[0]!)) {
			throw deny(`Job was rejected because job requests unknown queue "${queue}"`);
		}
	}

	for (const resource of options.resources.map(request => request.split('=')[0]!)) {
		if (!HOST_RESOURCES.includes(resource) && isUnknown(known.resources, resource)) {
			throw deny(`unknown resource "${resource}"`);
		}
	}

	if (isUnknown(known.parallelEnvironments, options.parallelEnvironment?.name)) {
		throw deny(`job rejected: the requested parallel environment "${options.parallelEnvironment?.name}" does not exist`);
	}

	if (isUnknown(known.projects, options.project)) {
		throw deny(`job rejected: the requested project "${options.project}" does not exist`);
	}
};

const isUnknown = (names: readonly string[] | undefined, name: string | undefined): boolean =>
	names !== undefined && name !== undefined && !names.includes(name);
