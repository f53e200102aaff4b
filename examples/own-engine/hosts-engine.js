/** An engine for a few machines without a scheduler: queue-jobs run by a remote shell, on each machine as many at once as it has slots. */
import {spawn} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';

/**
 * @typedef {import('queue-map-reduce').Engine} Engine
 * @typedef {{name: string, slots: number, shell: string[]}} Host `shell` runs there the line that is its last argument, as `['ssh', 'node1']`, in a process group of its own.
 * @typedef {{name: string, host: Host, pid: Promise<string>, gone: Promise<unknown>}} Running
 */

/** @param {readonly Host[]} hosts @returns {Engine} */
export const createHostsEngine = hosts => {
	/** @type {Map<string, import('queue-map-reduce').JobRequest>} */
	const waiting = new Map();
	/** @type {Map<string, Running>} */
	const running = new Map();
	/** @type {Map<string, import('queue-map-reduce').JobEnd>} */
	const ended = new Map();

	const fillSlots = () => {
		for (const [id, request] of waiting) {
			const others = hosts.filter(({name}) => !request.avoidHosts.includes(name));
			const host = (others.length > 0 ? others : hosts).find(isFree);
			if (host !== undefined && waiting.delete(id)) start(id, request, host);
		}
	};
	/** @param {Host} host */
	const isFree = host => [...running.values()].filter(job => job.host === host).length < host.slots;

	/** @param {string} id @param {import('queue-map-reduce').JobRequest} request @param {Host} host */
	const start = (id, {name, script, scriptArguments}, host) => {
		const words = ['/bin/sh', script, ...scriptArguments].map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
		const child = runLine(host, `echo $$; exec ${words} </dev/null >/dev/null 2>&1`);
		let problem = '';
		child.once('error', ({message}) => (problem = message));
		child.once('close', (code, signal) => {
			running.delete(id);
			ended.set(id, {failed: code !== 0, reason: problem || (signal ? `killed by ${signal}` : `exit status ${code}`), host: host.name});
			fillSlots();
		});
		const gone = new Promise(resolve => child.once('close', resolve));
		const pid = new Promise(resolve => child.stdout.once('data', resolve));
		running.set(id, {name, host, gone, pid: Promise.race([pid, gone.then(() => '')]).then(String)});
	};

	/** @param {string} id */
	const remove = async id => {
		waiting.delete(id);
		const job = running.get(id);
		const pid = await job?.pid;
		if (job === undefined || !pid) return;
		const [status] = await once(runLine(job.host, `kill -s KILL -- -${pid}`), 'close');
		// 1 of a queue-job that has ended meanwhile, 255 of an ssh that found no way.
		if (status > 1) throw new Error(`${job.host.name} can't be told to remove ${id}: exit status ${status}`);
		await job.gone;
	};

	return {
		name: 'hosts',
		statusCost: 'none',
		// They may go on, but nobody would know of them.
		outlivesProcess: false,
		maxDefaultChunks: 4 * hosts.reduce((sum, {slots}) => sum + slots, 0),
		submit: async requests => {
			const outcomes = requests.map(request => {
				const id = randomUUID();
				waiting.set(id, request);
				return /** @type {const} */ ({kind: 'submitted', id});
			});
			fillSlots();
			return outcomes;
		},
		status: async () => [
			...[...running].map(
				([id, {name, host}]) => /** @type {const} */ ({id, name, state: 'running', rawState: 'running', host: host.name}),
			),
			...[...waiting].map(([id, {name}]) => /** @type {const} */ ({id, name, state: 'pending', rawState: 'waiting'})),
		],
		remove: async ids => void (await Promise.all(ids.map(remove))),
		explain: async ({id}) => ended.get(id),
	};
};

/** In a process group of its own: Ctrl-C is not meant for it. @param {Host} host @param {string} line */
const runLine = ({shell: [program = '', ...words]}, line) =>
	spawn(program, [...words, line], {detached: true, stdio: ['ignore', 'pipe', 'ignore']});
