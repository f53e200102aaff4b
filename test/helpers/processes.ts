/** What can be seen of processes in /proc. On the nodes of the tests' cluster, too: they share it. */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';

/** The processes whose command line contains a text. */
export const processesWith = (text: string): number[] =>
	readdirSync('/proc')
		.filter(name => /^\d+$/.test(name) && (read(`/proc/${name}/cmdline`) ?? '').includes(text))
		.map(Number);

export const killProcessesWith = (text: string): void => {
	for (const pid of processesWith(text)) {
		try {
			if (pid !== process.pid) process.kill(pid, 'SIGKILL');
		} catch {
			// It has ended by itself.
		}
	}
};

export const countThreads = (pid: number): number => readdirSync(`/proc/${pid}/task`).length;

/** The sockets on which a process listens, of its own network, as `tcp 0100007F:1F90`. */
export const listeningSockets = (pid: number): string[] => {
	const own = new Set(
		readdirSync(`/proc/${pid}/fd`).flatMap(fd => /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1] ?? []),
	);
	return ['tcp', 'tcp6', 'udp', 'udp6', 'unix'].flatMap(protocol =>
		(read(`/proc/${pid}/net/${protocol}`) ?? '')
			.split('\n')
			.slice(1)
			.flatMap(line => {
				const words = line.trim().split(/\s+/);
				// Of UNIX sockets: `num refcount protocol flags type state inode path`, and 00010000 is the flag of a listening one.
				const [address, isListening, inode] =
					protocol === 'unix' ? [words[7], words[3] === '00010000', words[6]] : [words[1], LISTENS.has(words[3] ?? ''), words[9]];
				return isListening && own.has(inode ?? '') ? [`${protocol} ${address}`] : [];
			}),
	);
};

/** Of TCP, LISTEN; of UDP, bound to an address. */
const LISTENS = new Set(['0A', '07']);

const read = (path: string): string | undefined => {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
};

const readLink = (path: string): string => {
	try {
		return readlinkSync(path);
	} catch {
		return '';
	}
};
