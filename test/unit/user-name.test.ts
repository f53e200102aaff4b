import {spawnSync} from 'node:child_process';
import {userInfo} from 'node:os';
import {expect, test} from 'vitest';
import {userName} from '../../src/user-name.js';

test('is the name that the system knows', () => {
	expect(userName()).toBe(userInfo().username);
});

// Only root can become a user that has no name.
test.skipIf(process.getuid?.() !== 0).each([
	[{USER: 'somebody'}, 'somebody'],
	[{LOGNAME: 'someone'}, 'someone'],
	[{}, '54321'],
])('of a number without a name is what the environment %j says', (environment, name) => {
	const script = `
		const {userName} = await import(${JSON.stringify(new URL('../../dist/src/user-name.js', import.meta.url))});
		process.setuid(54321);
		console.log(userName());`;
	const {stdout} = spawnSync(process.execPath, ['--input-type=module', '-e', script], {env: environment, encoding: 'utf8'});
	expect(stdout).toBe(`${name}\n`);
});
