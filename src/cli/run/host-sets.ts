/** The key `host` of a job: which hosts may run it, and how an engine is told. */
import {hostname} from 'node:os';
import type {PoolOptions} from '../../options.js';

export type Hosts =
	/** Any will do. */
	| {readonly kind: 'any'}
	| {readonly kind: 'these'; readonly names: readonly string[]}
	| {readonly kind: 'faulty'; readonly problem: string};

/** Equal sets have equal names in the same order. */
export const readHosts = (job: unknown): Hosts => {
	const host: unknown = typeof job === 'object' && job !== null ? (job as {readonly host?: unknown}).host : undefined;
	if (host === undefined || host === null) return {kind: 'any'};
	const names: readonly unknown[] = Array.isArray(host) ? host : [host];
	if (names.length === 0) return {kind: 'faulty', problem: '`host` names none'};
	const wrong = names.find(name => typeof name !== 'string' || !/^[A-Za-z0-9][\w.-]*$/.test(name));
	if (wrong !== undefined)
		return {kind: 'faulty', problem: `Expected \`host\` to be a list of names of hosts, got ${JSON.stringify(wrong)}`};
	return {kind: 'these', names: [...new Set(names as readonly string[])].sort()};
};

export type Placed =
	/** Options for a map of its own. */
	| {readonly kind: 'options'; readonly options: PoolOptions}
	/** This very machine, and there is no other one. */
	| {readonly kind: 'here'}
	| {readonly kind: 'nowhere'; readonly problem: string};

/** All that is known of the surroundings. */
export type HostSite = {
	/** The name of the engine. */
	readonly engine: string;
	readonly options: PoolOptions;
	/** The nodes of a Slurm; undefined when nobody tells. */
	readonly listNodes: () => Promise<readonly string[] | undefined>;
};

export const placeHosts = async (names: readonly string[], {engine, options, listNodes}: HostSite): Promise<Placed> => {
	// The one that is asked for may have failed before: there is no other.
	const avoidHosts = false;
	switch (engine) {
		case 'grid-engine':
			// `-w e`: what no host could ever take is refused at once, and does not wait for ever.
			return {
				kind: 'options',
				options: {avoidHosts, qsubArgs: [...(options.qsubArgs ?? []), '-l', `h=${names.join('|')}`, '-w', 'e']},
			};
		case 'slurm': {
			const sbatchArgs = options.sbatchArgs ?? [];
			const nodes = await listNodes();
			if (nodes === undefined) {
				return names.length === 1
					? {kind: 'options', options: {avoidHosts, sbatchArgs: [...sbatchArgs, `--nodelist=${names[0]}`]}}
					: {kind: 'nowhere', problem: 'Slurm takes several hosts only by the others that it is not to take, and sinfo does not list them'};
			}
			const meant = nodes.filter(node => names.some(name => isSameHost(node, name)));
			if (meant.length === 0) return {kind: 'nowhere', problem: `no node is called ${names.join(' or ')}: sinfo lists ${shorten(nodes)}`};
			const [only] = meant;
			const others = nodes.filter(node => !meant.includes(node));
			const told = meant.length === 1 ? [`--nodelist=${only}`] : others.length === 0 ? [] : [`--exclude=${others.join(',')}`];
			return {kind: 'options', options: {avoidHosts, sbatchArgs: [...sbatchArgs, ...told]}};
		}
		default:
			return names.some(name => name === 'localhost' || isSameHost(name, hostname()))
				? {kind: 'here'}
				: {kind: 'nowhere', problem: `no host is called ${names.join(' or ')}: the engine ${engine} runs everything on ${hostname()}`};
	}
};

/** With or without the domain. */
const isSameHost = (a: string, b: string): boolean => {
	const [first, second] = [a.toLowerCase(), b.toLowerCase()];
	if (first.includes('.') && second.includes('.')) return first === second;
	return first.split('.')[0] === second.split('.')[0];
};

const MAX_NAMES = 10;

const shorten = (names: readonly string[]): string =>
	names.length <= MAX_NAMES ? names.join(', ') : `${names.slice(0, MAX_NAMES).join(', ')} and ${names.length - MAX_NAMES} more`;
