/** The options of a map that is come back to, as its run.json has them. */
import {isForeign} from './check-engine.js';
import {PoolError} from './errors.js';
import type {Manifest} from './manifest.js';
import type {PoolOptions} from './options.js';

/** What defines a map is said once, when it is begun. */
export const DEFINING: ReadonlySet<string> = new Set<keyof PoolOptions>([
	'engine',
	'env',
	'message',
	'nodePath',
	'numChunks',
	'chunkSize',
	'config',
	'gitDiff',
	'schedule',
	'numJobs',
	'resume',
	'seed',
	'shared',
	'tags',
	'workDir',
	'workRoot',
]);

/**
 * What a map was begun with.
 *
 * @param without - Options that are left out.
 * @throws PoolError `ERR_POOL_RESUME` when an option that could not be written down is not given again.
 */
export const recordedOptions = (
	{options, incompleteOptions}: Pick<Manifest, 'options' | 'incompleteOptions'>,
	given: PoolOptions,
	workDir: string,
	without: ReadonlySet<string>,
): PoolOptions => {
	const missing = incompleteOptions.filter(name => !without.has(name) && given[name as keyof PoolOptions] === undefined);
	if (missing.length > 0) {
		const names = missing.map(name => `\`${name}\``).join(', ');
		throw new PoolError(
			'ERR_POOL_RESUME',
			`Pass ${names} again: a function, or a value with something of the environment in it, is not written down, so ${workDir} does not tell what it was.`,
			{workDir},
		);
	}
	return Object.fromEntries(Object.entries(options).filter(([name]) => !without.has(name) && !incompleteOptions.includes(name)));
};

/** @throws PoolError `ERR_POOL_RESUME` unless it is the engine that has the queue-jobs of the map. One that the caller has brought can't be written down. */
export const requireEngine = (
	{engine: name}: Manifest,
	{engine: given}: PoolOptions,
	workDir: string,
): NonNullable<PoolOptions['engine']> => {
	if (typeof given === 'object' && given.name === name) return given;
	const isBrought = isForeign(name);
	if (!isBrought && (given ?? name) === name) return name as NonNullable<PoolOptions['engine']>;
	const other = given === undefined ? '' : `, not to ${typeof given === 'object' ? given.name : given}`;
	const toDo = isBrought ? 'Pass the object of that name again, as the option `engine`.' : 'Leave the option `engine` out.';
	const whose = isBrought ? ', which is none of this library' : '';
	throw new PoolError('ERR_POOL_RESUME', `The queue-jobs of ${workDir} belong to the engine ${name}${whose}${other}. ${toDo}`, {workDir});
};
