/** Grid Engine's limits of time and memory: what a queue-job was allowed, what it took, and which of the two was more. */
import type {JobEndKind, JobResources} from './engine.js';

/** Seconds, and bytes for a slot. */
export type Limits = {readonly [Name in LimitName]?: number};

export type LimitName = (typeof NAMES)[number];

const NAMES = ['h_rt', 's_rt', 'h_cpu', 's_cpu', 'h_vmem', 's_vmem'] as const;

/** As the accounting prints it: `4s`, `1.850s`, `209.262MB`, `1`. */
export type Usage = {readonly wallclock: string; readonly cpu: string; readonly maxvmem: string; readonly slots: string};

export type Exceeded = {readonly kind: JobEndKind; readonly reason: string};

/** A busy machine counts more for its limit than it accounts for later: 1.73 to 1.86 s at an `h_cpu` of 2 s, 5.3 s at one of 6 s; a very busy one still less. */
const CPU_SHARE = 0.8;
const CPU_SLACK_SECONDS = 1;

/** The first limit that a queue-job has reached. */
export const findExceeded = ({wallclock, cpu, maxvmem, slots}: Usage, limits: Limits): Exceeded | undefined => {
	const numSlots = Number.parseInt(slots, 10) || 1;
	const rules = [
		{names: ['h_rt', 's_rt'], used: toSeconds(wallclock), share: 1, slack: 0, each: 1, kind: 'wall-time', words: 'it ran longer'},
		{
			names: ['h_vmem', 's_vmem'],
			used: toBytes(maxvmem),
			share: 1,
			slack: 0,
			each: numSlots,
			kind: 'out-of-memory',
			words: 'it took more memory',
		},
		{
			names: ['h_cpu', 's_cpu'],
			used: toSeconds(cpu),
			share: CPU_SHARE,
			slack: CPU_SLACK_SECONDS,
			each: numSlots,
			kind: 'wall-time',
			words: 'it took more processor time',
		},
	] as const;
	for (const {names, used, share, slack, each, kind, words} of rules) {
		for (const name of names) {
			const limit = limits[name];
			if (limit === undefined || used === undefined || used < Math.min(limit * each * share, limit * each - slack)) continue;
			const allowed = kind === 'out-of-memory' ? `${Math.round((limit / 2 ** 20) * 10) / 10} MB` : `${limit} s`;
			return {kind, reason: `killed: ${words} than its ${name} of ${allowed} allows`};
		}
	}
	return undefined;
};

/** From the `category` of the accounting, as `-l h_rt=100,h_vmem=100M -q short.q`; what is missing there, as it was asked for. */
export const limitsOfRequest = (category: string, {timeSeconds, memoryBytes}: JobResources): Limits => ({
	...(timeSeconds === undefined ? {} : {h_rt: timeSeconds}),
	...(memoryBytes === undefined ? {} : {h_vmem: memoryBytes}),
	...toLimits([...category.matchAll(/(?:^|[\s,])(\w+)=([^\s,]+)/g)].map(match => [match[1] as string, match[2] as string])),
});

/** From the output of `qstat -F h_rt,h_vmem,… -f -xml -q INSTANCE`. */
export const limitsOfQueue = (xml: string): Limits =>
	toLimits([...xml.matchAll(/<resource name="(\w+)" type="\w+">([^<]*)</g)].map(match => [match[1] as string, match[2] as string]));

/** What `-F` asks for. */
export const LIMIT_NAMES: string = NAMES.join(',');

const toLimits = (values: readonly (readonly [name: string, value: string])[]): Limits =>
	Object.fromEntries(
		values.flatMap(([name, value]) => {
			if (!(NAMES as readonly string[]).includes(name)) return [];
			const limit = name.endsWith('vmem') ? toBytes(value) : toSeconds(value);
			return limit === undefined ? [] : [[name, limit]];
		}),
	);

/** `4`, `4s`, `1.850s`, `0:0:4`; undefined for `INFINITY` and what else is no number. */
const toSeconds = (text: string): number | undefined => {
	const match = /^(?:(\d*):(\d*):)?(\d+(?:\.\d+)?)s?$/.exec(text.trim());
	return match === null ? undefined : Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3]);
};

/** `2000000000`, `8G`, `209.262MB`: powers of 1024; in small letters, as Grid Engine reads them, powers of 1000. */
const toBytes = (text: string): number | undefined => {
	const match = /^(\d+(?:\.\d+)?)([kmgtKMGT]?)B?$/.exec(text.trim());
	if (match === null) return undefined;
	const letter = match[2] as string;
	const power = 'KMGT'.indexOf(letter.toUpperCase()) + 1;
	return Number(match[1]) * (letter === letter.toLowerCase() ? 1000 : 1024) ** (letter === '' ? 0 : power);
};
