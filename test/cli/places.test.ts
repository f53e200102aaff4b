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

/** All of it but how long ago something was. */
const tellAll = async (place: Place): Promise<string[]> => {
	const told: string[] = [];
	for (const args of COMMANDS) {
		const {stdout, stderr, exitCode} = await runQmr(args, {cwd: map.directory, env: place});
		told.push(`${args.join(' ')}: ${exitCode}\n${stdout}${stderr}`.replaceAll(AGES, 'T').replaceAll(/ {2,}/g, ' '));
	}
	return told;
};

const AGES = /\b\d+[smh]\b|\b[\d.]+ (?:s|minutes|hours)\b|"(?:atMs|generatedAtMs|wallMs)": ?[\d.]+/g;

const HOME: Place = {TZ: 'UTC', LC_ALL: 'C', LANG: undefined};

const PLACES: readonly Place[] = [
	// Half an hour more than hours east of Greenwich.
	{TZ: 'Asia/Kolkata', LC_ALL: undefined, LANG: undefined},
	// Half an hour less west of it, with summer time; and I and i are different letters.
	{TZ: 'America/St_Johns', LC_ALL: 'tr_TR.UTF-8'},
];

test('all commands that look tell the same in every time zone and locale', async () => {
	const atHome = await tellAll(HOME);
	// It has ended two hours ago.
	expect(atHome.slice(-2)).toEqual([
		expect.stringContaining('Nothing was removed.'),
		expect.stringContaining(`would be removed: ${map.workDir}`),
	]);
	for (const place of PLACES) expect(await tellAll(place)).toEqual(atHome);
}, 120_000);
