/** Commands tell the same wherever they are called: in any time zone, and in any locale. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {type LookedAt, makeEndedMap} from '../helpers/looked-at-map.js';
import {runQmr} from '../helpers/qmr.js';

let map: LookedAt;
beforeAll(async () => {
	const source = "export const fn = n => { console.error('ıİß', n); if (n === 2) throw new Error('two'); return n / 2; };";
	map = await makeEndedMap({source, tasks: [0, 1, 2, 3], options: {numChunks: 2, message: 'Ingilizce'}});
	const path = join(map.workDir, 'log.jsonl');
	const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
	const last = {...JSON.parse(lines.pop() as string), time: new Date(Date.now() - 2 * 3_600_000).toISOString()};
	writeFileSync(path, `${[...lines, JSON.stringify(last)].join('\n')}\n`);
});
afterAll(() => map.remove());

type Place = Readonly<Record<string, string | undefined>>;

const UTC: Place = {TZ: 'UTC', LC_ALL: 'C', LANG: undefined};

const COMMANDS: readonly (readonly string[])[] = [
	['ls'],
	['ls', '--json'],
	['status', '--chunks'],
	['status', '--json'],
	['show', 'run', '2', '--json'],
	['show', 'run', '2'],
	['errors'],
	['results', '--format', 'csv', '--input'],
	['report', '--json'],
	['clean', '--finished', '--older-than', '3h', '--dry-run'],
	['clean', '--finished', '--older-than', '1h', '--dry-run'],
];

/** All of it but what tells of now. */
const tellAll = async (place: Place): Promise<string[]> => {
	const told: string[] = [];
	for (const args of COMMANDS) {
		const {stdout, stderr, exitCode} = await runQmr(args, {cwd: map.directory, env: place});
		told.push(`${args.join(' ')}: ${exitCode}\n${stdout}${stderr}`.replaceAll(NOW, ''));
	}
	return told;
};

const NOW = /\b\d+s(?: ago)?\b *|[\d.]+ s ago|[\d.]+ (?:s|minutes) before|"(?:atMs|generatedAtMs|wallMs|generatedAt|atTime)": ?[\d.]+,?/g;

test.each<[name: string, place: Place]>([
	['east of Greenwich by half an hour more than hours', {TZ: 'Asia/Kolkata', LC_ALL: undefined, LANG: undefined}],
	['west of it by half an hour less, with summer time', {TZ: 'America/St_Johns', LC_ALL: 'C'}],
	['where I and i are different letters', {TZ: 'Europe/Istanbul', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8'}],
	['where a comma is a point', {TZ: 'Pacific/Kiritimati', LC_ALL: 'de_DE.UTF-8', LANG: 'de_DE.UTF-8', LANGUAGE: 'de'}],
])(
	'%s',
	async (_name, place) => {
		const here = await tellAll(UTC);
		// It has ended two hours ago.
		expect(here.slice(-2)).toEqual([
			expect.stringContaining('Nothing was removed.'),
			expect.stringContaining(`would be removed: ${map.workDir}`),
		]);
		expect(await tellAll(place)).toEqual(here);
	},
	120_000,
);
