import {mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {lookAtOwner} from '../../src/look-at-owner.js';

const IDENTITY = {host: 'login1', bootId: 'b', pidNamespace: 'n', pid: 4711, startTime: '1', token: 't'};

const look = (files: Readonly<Record<string, string>>, isAlive: boolean | undefined) => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-owner-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	for (const [name, text] of Object.entries(files)) {
		writeFileSync(join(workDir, name), text);
		utimesSync(join(workDir, name), 1000, 1000);
	}
	return lookAtOwner(workDir, readdirSync(workDir), {isAlive: () => isAlive});
};

const line = `${JSON.stringify(IDENTITY)}\n`;
const who = {host: 'login1', pid: 4711};

test('an owner lives, is dead, has let go, or is where it can not be seen', async () => {
	expect(await look({'owner.1': `${line}...`}, true)).toEqual({kind: 'alive', ...who});
	expect(await look({'owner.1': `${line}...`}, false)).toEqual({kind: 'dead', ...who});
	expect(await look({'owner.1': `${line}..released\n`}, false)).toEqual({kind: 'released', ...who});
	expect(await look({'owner.1': `${line}...`}, undefined)).toEqual({kind: 'elsewhere', lastSignAt: new Date(1_000_000), ...who});
});

test('of several the last one counts', async () => {
	const second = `${JSON.stringify({...IDENTITY, pid: 12})}\n`;
	expect(await look({'owner.1': `${line}released\n`, 'owner.2': second, 'owner.10': `${line}released\n`}, true)).toMatchObject({
		kind: 'released',
		pid: 4711,
	});
	expect(await look({'owner.1': `${line}released\n`, 'owner.2': second}, true)).toMatchObject({kind: 'alive', pid: 12});
});

test('without an owner, or of one that is still being written, nothing is known', async () => {
	expect(await look({}, true)).toEqual({kind: 'unknown'});
	expect(await look({'owner.1': '{"host":"lo'}, true)).toEqual({kind: 'unknown'});
	expect(await look({'owner.1': ''}, true)).toEqual({kind: 'unknown'});
});
