/** A task in one short line, for errors. */
import {type InspectOptions, inspect} from 'node:util';

const MAX_LENGTH = 200;

export const printInput = (task: unknown): string => {
	const text = inspectSafely(task, {
		depth: 2,
		maxArrayLength: 10,
		maxStringLength: MAX_LENGTH,
		breakLength: Number.POSITIVE_INFINITY,
	});
	return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
};

/** A class may bring a printer of its own, which may throw: that must not end a map. */
const inspectSafely = (task: unknown, options: InspectOptions): string => {
	try {
		return inspect(task, options);
	} catch {
		return inspect(task, {...options, customInspect: false});
	}
};
