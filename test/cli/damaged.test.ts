/** Whatever byte of a work_dir is damaged, it is told of, or what is damaged is: no command stumbles. */
import {copyFileSync, cpSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import pc from 'picocolors';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {requireWhole} from '../../src/cli/act/require-whole.js';
import {CommandError} from '../../src/cli/command-error.js';
import {findErrors, toErrorsJson} from '../../src/cli/look/find-errors.js';
import {formatManifest} from '../../src/cli/look/format-manifest.js';
import {formatStatus} from '../../src/cli/look/format-status.js';
import {formatTask} from '../../src/cli/look/format-task.js';
import {listMaps} from '../../src/cli/look/list-maps.js';
import {lookAtMap} from '../../src/cli/look/look-at-map.js';
import {lookAtTask} from '../../src/cli/look/look-at-task.js';
import {toStatusJson} from '../../src/cli/look/status-json.js';
import {toTaskJson} from '../../src/cli/look/task-json.js';
import {formatErrors} from '../../src/cli/look/tell-errors.js';
import {type Format, writeResults} from '../../src/cli/look/write-results.js';
import {PoolError} from '../../src/errors.js';
import {openWorkDir} from '../../src/read/open-work-dir.js';
import {type LookedAt, makeEndedMap} from '../helpers/looked-at-map.js';

let map: LookedAt;
let files: string[];
beforeAll(async () => {
	const source =
		"export const fn = ({n}) => { console.error('e', n); if (n === 1) throw new TypeError('one', {cause: new Error('c')}); return {n, m: {n}}; };";
	map = await makeEndedMap({source, tasks: [{n: 0}, {n: 1}, {n: 2}], options: {numChunks: 2, tags: ['x'], message: 'm', seed: 1}});
	files = readdirSync(map.workDir).filter(name => /^run\.json$|^log\.jsonl$|^owner\.1$|\.(?:tasks|out|e)$/.test(name));
	cpSync(map.workDir, join(map.directory, 'whole'), {recursive: true});
});
afterAll(() => map.remove());

const colours = pc.createColors(false);

/** What every command does with it. */
const commands: Readonly<Record<string, (workDir: string) => Promise<unknown>>> = {
	ls: async workDir => JSON.stringify(await listMaps(workDir)),
	status: async workDir => {
		const view = await lookAtMap(workDir);
		return [
			formatStatus(view, {chunks: true, queue: undefined}, colours),
			JSON.stringify(toStatusJson(view, {chunks: true, queue: undefined})),
		];
	},
	errors: async workDir => {
		const found = await findErrors(workDir);
		return [formatErrors(found, colours), JSON.stringify(toErrorsJson(found))];
	},
	show: async workDir => {
		formatManifest(workDir, requireWhole(workDir, (await openWorkDir(workDir)).manifest), colours);
		for (const itask of [0, 1, 2]) {
			const view = await lookAtTask(workDir, itask, {queue: false});
			formatTask(view, colours);
			JSON.stringify(toTaskJson(view));
		}
	},
	results: async workDir => {
		for (const format of ['csv', 'jsonl'] satisfies Format[])
			await writeResults({workDir, format, hasTasks: true, write: async () => undefined});
	},
};

type Damage = (content: Buffer) => Buffer | string;

/** By its place, as a part of the whole. */
const anyPlace = fc.noBias(fc.nat(9_999)).map(at => at / 10_000);

const anyDamage: fc.Arbitrary<Damage> = fc.oneof(
	fc.tuple(anyPlace, fc.nat(255)).map(
		([at, byte]): Damage =>
			content => {
				const changed = Buffer.from(content);
				changed[Math.floor(at * content.length)] = byte;
				return changed;
			},
	),
	anyPlace.map(
		(at): Damage =>
			content =>
				content.subarray(0, Math.floor(at * content.length)),
	),
);

const check = async (command: (workDir: string) => Promise<unknown>, name: string, damage: Damage): Promise<void> => {
	const path = join(map.workDir, name);
	writeFileSync(path, damage(readFileSync(path)), 'latin1');
	try {
		await command(map.workDir);
	} catch (error) {
		expect(error instanceof PoolError || error instanceof CommandError ? 'said' : error).toBe('said');
	} finally {
		copyFileSync(join(map.directory, 'whole', name), path);
	}
};

describe.each(Object.entries(commands))('%s tells of it, or says what is wrong', (_, command) => {
	test('when any byte of any file is another, or any file is cut anywhere', async () => {
		await fc.assert(
			fc.asyncProperty(fc.constantFrom(...files), anyDamage, (name, damage) => check(command, name, damage)),
			{numRuns: 150},
		);
	});

	test.each(['run.json', 'log.jsonl'])('when any value in %s is of another kind', async name => {
		const numValues = [...readFileSync(join(map.workDir, name), 'latin1').matchAll(VALUES)].length;
		expect(numValues).toBeGreaterThan(30);
		for (let index = 0; index < numValues; index++) {
			// One after the other for each: all together take long.
			const value = OTHERS[index % OTHERS.length] as string;
			for (const other of name === 'run.json' ? OTHERS : [value]) {
				let i = 0;
				await check(command, name, content =>
					content.toString('latin1').replaceAll(VALUES, whole => (i++ === index ? `:${other}` : whole)),
				);
			}
		}
	});
});

const VALUES = /:\s*(?:"(?:[^"\\]|\\.)*"|-?[\d.]+|true|false|null|\[\]|\{\})/g;
const OTHERS = ['null', '7', '"x"', '[]', '{}'];
