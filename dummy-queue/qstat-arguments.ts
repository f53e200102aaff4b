import {Refusal} from './answer.js';
import {callingUser} from './user.js';

export type QstatOptions = {
	isXml: boolean;
	/** `-f`: the jobs by queue instance, with the state of each. */
	isFull: boolean;
	hidesEmptyQueues: boolean;
	/** `-F`: asks about the queue instances, whose limits are shown; nothing happens in the queue. */
	asksForAttributes: boolean;
	/** `-g d`: the elements of an array that wait are listed one by one. */
	listsElements: boolean;
	/** `-u`: whose jobs; the caller's when it is not given. */
	users: string[];
	/** `-j`: the jobs to be explained. */
	jobs?: string[];
};

export const parseQstatArguments = (words: readonly string[]): QstatOptions => {
	const options: QstatOptions = {
		isXml: false,
		isFull: false,
		hidesEmptyQueues: false,
		asksForAttributes: false,
		listsElements: false,
		users: [callingUser().name],
	};
	const rest = [...words];
	while (rest.length > 0) {
		parseOption(rest.shift()!, rest, options);
	}

	return options;
};

const parseOption = (option: string, rest: string[], options: QstatOptions): void => {
	const take = (): string => {
		const word = rest.shift();
		if (word === undefined) {
			throw refuse(`${option} option must have argument`);
		}

		return word;
	};

	switch (option) {
		case '-xml':
			options.isXml = true;
			break;
		case '-f':
			options.isFull = true;
			break;
		case '-ne':
			options.hidesEmptyQueues = true;
			break;
		case '-F':
			take();
			options.asksForAttributes = true;
			break;
		case '-q':
			take();
			break;
		case '-u':
			options.users = take().split(',');
			break;
		case '-g':
			for (const letter of take()) {
				if (letter !== 'd') {
					throw refuse(`wrong character '${letter}' for -g option`);
				}

				options.listsElements = true;
			}

			break;
		case '-j':
			options.jobs = take().split(',');
			break;
		default:
			throw refuse(`invalid option argument "${option}"`);
	}
};

const refuse = (text: string): Refusal => new Refusal(1, `SGE 8.1.9\nusage: qstat [options]\n${text}`);
