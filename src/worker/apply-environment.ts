import {isOwnedByJob} from '../environment-names.js';

/** What environment.json holds. Pairs rather than an object: a variable may be called `__proto__`. */
export type EnvironmentRecord = {
	/** Whether to delete what was not submitted: it comes from the site only. */
	readonly removeOthers: boolean;
	/** The names of all variables that were submitted, those in environment.sh too. */
	readonly submitted: readonly string[];
	/** The variables that no shell can export. */
	readonly values: readonly (readonly [name: string, value: string])[];
};

/**
 * Completes what environment.sh began. To be called before anything of the user's is loaded.
 *
 * @param record - The content of environment.json.
 */
export const applyEnvironment = (record: string, environment: NodeJS.ProcessEnv = process.env): void => {
	const {removeOthers, submitted, values} = JSON.parse(record) as EnvironmentRecord;
	const keep = new Set(submitted);
	for (const name of removeOthers ? Object.keys(environment) : []) {
		if (!keep.has(name) && !isOwnedByJob(name)) delete environment[name];
	}
	for (const [name, value] of values) environment[name] = value;
};
