import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {countMemoryKills} from '../../src/engines/memory-kills.js';

const EVENTS = 'low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n';
const CONTROL = 'oom_kill_disable 0\nunder_oom 0\noom_kill 5\n';

test.each<[what: string, files: Record<string, string>, count: number]>([
	['version 2', {'proc/self/cgroup': '0::/user.slice/job\n', 'cgroup/user.slice/job/memory.events': EVENTS}, 2],
	['version 1', {'proc/self/cgroup': '5:cpu:/\n4:memory:/jobs/7\n0::/\n', 'cgroup/memory/jobs/7/memory.oom_control': CONTROL}, 5],
	['version 1 in a container', {'proc/self/cgroup': '4:cpu,memory:/docker/x\n', 'cgroup/memory/memory.oom_control': CONTROL}, 5],
	['the group of all', {'proc/self/cgroup': '0::/\n'}, 0],
	['an old kernel', {'proc/self/cgroup': '4:memory:/\n', 'cgroup/memory/memory.oom_control': 'oom_kill_disable 0\n'}, 0],
	['no control groups', {}, 0],
])('kills for want of memory are counted: %s', (_, files, count) => {
	const root = mkdtempSync(join(tmpdir(), 'qmr-cgroup-'));
	onTestFinished(() => rmSync(root, {recursive: true}));
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(root, name)), {recursive: true});
		writeFileSync(join(root, name), text);
	}
	expect(countMemoryKills({proc: join(root, 'proc'), cgroup: join(root, 'cgroup')})).toBe(count);
});
