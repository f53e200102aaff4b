import {randomBytes} from 'node:crypto';
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {type Case, hold, type Job, put, waitFor} from './workbench.js';

export const surroundingsCases: readonly Case[] = [
	{
		title: 'a queue-job finds nothing on its standard input, and its end at once',
		body: async ({request, submit, untilWritten}) => {
			await submit(request(put('input', 'cat; echo .')));
			const input = await untilWritten('input');
			hold(input === '.\n', `Expected an empty input, got ${JSON.stringify(input.slice(0, 200))}.`);
		},
	},
	{
		title: 'what a queue-job writes to its standard output and error goes away, however much it is, and hinders nothing',
		body: async ({request, submit, untilWritten}) => {
			const write = 'dd if=/dev/zero bs=65536 count=32 2>/dev/null';
			await submit(request(`${write} && ${write} >&2 && ${put('written', 'echo written')}`));
			await untilWritten('written');
		},
	},
	{
		title: 'no variable of this process gets to a queue-job: its launcher brings those that the user wants',
		body: async ({request, submit, untilWritten}) => {
			const name = `QMR_CONTRACT_${randomBytes(6).toString('hex')}`;
			process.env[name] = 'leaked';
			try {
				await submit(request(put('environment', 'env')));
				const environment = await untilWritten('environment');
				hold(
					!environment.includes(name),
					`Expected no variable of this process, got ${name}, which was set for the time of the submission.`,
				);
			} finally {
				delete process.env[name];
			}
		},
	},
	{
		title: 'Ctrl-C at the terminal is not for queue-jobs: neither they nor what watches over them is in the process group of this process',
		body: async ({request, submit, untilWritten, write, untilGone}) => {
			// Without /proc nobody can tell.
			const here = readHere();
			if (here === undefined) return;
			const before = new Set(listChildren(here.group));
			const look = 'cat /proc/sys/kernel/random/boot_id; readlink /proc/self/ns/pid; cat /proc/$$/stat';
			const [{id}] = (await submit(request(`${put('process', look)}; ${waitFor('go')}`))) as [Job];
			const [boot = '', namespace = '', stat = ''] = (await untilWritten('process')).split('\n');
			const isHere = boot === here.boot && namespace === here.namespace;
			hold(!isHere || groupOf(stat) !== here.group, 'Expected a process group of its own, got a queue-job in that of this process.');
			// As an ssh whose end would be that of its queue-job.
			const children = listChildren(here.group).filter(pid => !before.has(pid));
			hold(children.length === 0, `Expected no child of this process in its group while a queue-job runs, got ${children.join(', ')}.`);
			write('go');
			await untilGone(id);
		},
	},
];

type Here = {readonly boot: string; readonly namespace: string; readonly group: string};

const readHere = (): Here | undefined => {
	try {
		const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
		return {boot, namespace: readlinkSync('/proc/self/ns/pid'), group: groupOf(readFileSync('/proc/self/stat', 'utf8'))};
	} catch {
		return undefined;
	}
};

/** Behind the name, which is in brackets and may hold anything: state, parent, process group. */
const fieldsOf = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');
const groupOf = (stat: string): string => fieldsOf(stat)[2] ?? '';

/** The child processes of this one in a process group. */
const listChildren = (group: string): string[] =>
	readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.filter(pid => {
			try {
				const [, parent, itsGroup] = fieldsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
				return parent === String(process.pid) && itsGroup === group;
			} catch {
				// It ended a moment ago.
				return false;
			}
		});
