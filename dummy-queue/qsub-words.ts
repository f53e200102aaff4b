import {Refusal} from './answer.js';
import {parseRange, type Range} from './elements.js';

// The arguments of qsub's options, refused in the words of Grid Engine.

export const yesOrNo = (word: string, option: string): boolean => {
	if (['y', 'yes'].includes(word)) {
		return true;
	}

	if (['n', 'no'].includes(word)) {
		return false;
	}

	throw new Refusal(7, `qsub: invalid option argument "${option} ${word}"`);
};

/** Of `-t`. */
export const parseArrayRange = (word: string): Range => {
	if (word.includes(',')) {
		throw new Refusal(7, 'qsub: -t option only allows one range specification');
	}

	const range = parseRange(word);
	if (range === undefined) {
		throw new Refusal(7, `qsub: Numerical value invalid!\nThe initial portion of string "${word}" contains no decimal number`);
	}

	return range;
};

/** Of `-tc`. */
export const parseConcurrency = (word: string): number => {
	if (!/^\d+$/.test(word)) {
		throw new Refusal(7, `qsub: invalid task concurrency number "${word}". Must be an integer greater or equal to 0.`);
	}

	return Number(word);
};

/** Of `-p`. */
export const checkPriority = (word: string): string => {
	const priority = Number(word);
	if (word.trim() === '' || !Number.isInteger(priority) || priority < -1023 || priority > 1024) {
		throw new Refusal(7, `qsub: invalid priority "${word}".  Must be an integer from -1023 to 1024`);
	}

	if (priority > 0 && process.getuid?.() !== 0) {
		throw new Refusal(1, 'Unable to run job: job rejected: positive submission priority requires operator privileges\nExiting.');
	}

	return word;
};
