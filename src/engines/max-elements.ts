/** How many elements an array may have, as a program of the scheduler says. */
import type {ProgramResult} from './run-program.js';

/** Sites set higher limits as a rule, or have such a default; what is longer goes as several arrays. */
const CAUTIOUS_MAX_ELEMENTS = 1000;

/**
 * `ArrayJobs.maxElements`: asked until it was told.
 *
 * @param ask - Undefined when there is no such program here.
 * @param parse - What it printed -> the limit; undefined when that does not say.
 */
export const createMaxElements = (
	ask: (() => Promise<ProgramResult>) | undefined,
	parse: (stdout: string) => number | undefined,
): (() => Promise<number>) => {
	let known: number | undefined;
	return async () => {
		if (known !== undefined || ask === undefined) return known ?? CAUTIOUS_MAX_ELEMENTS;
		// It only decides where an array is cut: no error of this program may end a map.
		const stdout = await ask().then(
			result => result.stdout,
			() => '',
		);
		known = parse(stdout);
		return known ?? CAUTIOUS_MAX_ELEMENTS;
	};
};
