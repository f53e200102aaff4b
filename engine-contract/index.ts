/** What an engine promises, as cases for any test runner. */
import type {Engine} from '../src/index.js';
import {arrayCases} from './arrays.js';
import {explanationCases} from './explanation.js';
import {listingCases} from './listing.js';
import {mapCases} from './map.js';
import {removalCases} from './removal.js';
import {submissionCases} from './submission.js';
import {surroundingsCases} from './surroundings.js';
import {type ContractHooks, runOnWorkbench} from './workbench.js';

export type {ContractHooks} from './workbench.js';

/** One promise. */
export type ContractCase = {
	/** The promise, as `a queue-job that has ended is not listed any more`. */
	readonly title: string;
	/** Rejects with words when it is not kept, or was not within `timeoutMs`. Leaves no queue-job and no file behind. */
	readonly run: () => Promise<void>;
};

/**
 * The promises of an engine, to be run one after the other by any test runner. Cases of things that the engine does not have (`arrays`) or nobody can try (see the hooks) are left out.
 *
 * @param makeEngine - Makes the engine: once to see what it has, and once for each case.
 *
 * @example
 * ```js
 * for (const {title, run} of engineContract(() => createMyEngine())) test(title, run);
 * ```
 */
export const engineContract = (makeEngine: () => Engine, hooks: ContractHooks = {}): readonly ContractCase[] => {
	const engine = makeEngine();
	const cases = [
		...submissionCases,
		...listingCases,
		...removalCases,
		...explanationCases,
		...surroundingsCases,
		...arrayCases,
		...mapCases,
	];
	return cases
		.filter(({canBeTried}) => canBeTried?.(engine, hooks) ?? true)
		.map(({title, body}) => ({title, run: () => runOnWorkbench(title, body, makeEngine, hooks)}));
};
