/** How often the kernel has killed a process of our own control group for want of memory. A process that it killed ended by SIGKILL, and nothing else tells. */
import {readFileSync} from 'node:fs';

/** 0 where it can't be known (no Linux, no control group with a limit). Two calls tell whether it happened in between. */
export const countMemoryKills = (
	roots: {readonly proc: string; readonly cgroup: string} = {proc: '/proc', cgroup: '/sys/fs/cgroup'},
): number => {
	const files = read(`${roots.proc}/self/cgroup`)
		.split('\n')
		.flatMap(line => {
			// `0::/user.slice/…` in version 2, `4:memory:/…` in version 1.
			const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
			if (controllers === '') return [`${roots.cgroup}${path}/memory.events`];
			return controllers?.split(',').includes('memory')
				? [`${roots.cgroup}/memory${path}/memory.oom_control`, `${roots.cgroup}/memory/memory.oom_control`]
				: [];
		});
	const counts = files.map(file => Number(/^oom_kill (\d+)$/m.exec(read(file))?.[1] ?? 0));
	return Math.max(0, ...counts);
};

const read = (path: string): string => {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
};
