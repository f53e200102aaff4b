/** What queue-jobs were submitted with: the option `resources`, as the journal notes it, or what `qsubArgs` and `sbatchArgs` say. Pure. */
import type {JobResources} from '../engines/engine.js';

export type Asked = {readonly memoryBytes: number | null; readonly timeSeconds: number | null; readonly slots: number};

/** @param options - Those of the manifest. */
export const askedResources = (resources: JobResources | undefined, options: Readonly<Record<string, unknown>>): Asked => {
	const byHand = {...parseQsubArgs(toTexts(options.qsubArgs)), ...parseSbatchArgs(toTexts(options.sbatchArgs))};
	const slots = resources?.slots ?? byHand.slots ?? 1;
	// What is asked for by hand is for each slot.
	const memoryBytes = resources?.memoryBytes ?? (byHand.memoryBytes === undefined ? null : byHand.memoryBytes * slots);
	return {memoryBytes, timeSeconds: resources?.timeSeconds ?? byHand.timeSeconds ?? null, slots};
};

type ByHand = {memoryBytes?: number; timeSeconds?: number; slots?: number};

const toTexts = (value: unknown): string[] => (Array.isArray(value) ? value.filter(item => typeof item === 'string') : []);

const parseQsubArgs = (args: readonly string[]): ByHand => {
	const asked: ByHand = {};
	for (const [i, argument] of args.entries()) {
		if (argument === '-pe') setNumber(asked, 'slots', Number(args[i + 2]));
		if (argument !== '-l') continue;
		for (const request of (args[i + 1] ?? '').split(',')) {
			const [name = '', value = ''] = request.split('=');
			if (name === 'h_vmem') setNumber(asked, 'memoryBytes', toBytes(value));
			if (name === 'h_rt') setNumber(asked, 'timeSeconds', toSeconds(value));
		}
	}
	return asked;
};

const parseSbatchArgs = (args: readonly string[]): ByHand => {
	const asked: ByHand = {};
	for (const [i, argument] of args.entries()) {
		const [name = '', value = args[i + 1] ?? ''] = /^(--[a-z-]+)=(.*)$/.exec(argument)?.slice(1) ?? [argument];
		// Slurm means megabytes by a number alone; of a node, in which all slots are.
		if (name === '--mem') setNumber(asked, 'memoryBytes', toBytes(/^\d+$/.test(value) ? `${value}M` : value));
		if (name === '--time' || name === '-t') setNumber(asked, 'timeSeconds', toSlurmSeconds(value));
		if (name === '--cpus-per-task' || name === '-c') setNumber(asked, 'slots', Number(value));
	}
	if (asked.memoryBytes !== undefined) asked.memoryBytes /= asked.slots ?? 1;
	return asked;
};

const setNumber = (asked: ByHand, name: keyof ByHand, value: number): void => {
	if (Number.isFinite(value) && value > 0) asked[name] = value;
};

/** Capital letters are powers of 1024, small ones of 1000. */
const toBytes = (text: string): number => {
	const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KMGTkmgt]?)B?$/.exec(text) ?? [];
	const power = ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase());
	return Number(number) * (unit === unit.toUpperCase() ? 1024 : 1000) ** power;
};

/** `90`, `1:30` minutes and seconds, `1:30:00`. */
const toSeconds = (text: string): number => text.split(':').reduce((sum, part) => 60 * sum + Number(part || 0), 0);

/** `90` minutes, `90:00`, `1:30:00`, `2-0`, `2-12:00`. */
const toSlurmSeconds = (text: string): number => {
	const [, days, rest = ''] = /^(\d+)-(.*)$/.exec(text) ?? [undefined, undefined, text];
	const parts = rest.split(':');
	if (days === undefined) return toSeconds(parts.length === 1 ? `${rest}:00` : rest);
	const [hours = '0', minutes = '0', seconds = '0'] = parts;
	return Number(days) * 86_400 + toSeconds(`${hours}:${minutes}:${seconds}`);
};
