/** Queues of a shell_start_mode of their own, for as long as a test file runs. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {vi} from 'vitest';
import {call, untilGone} from './grid-engine.js';

export type ExtraQueue = {
	/** What a queue-job must ask for to be run there. */
	readonly qsubArgs: readonly string[];
	readonly queueName: string;
	readonly remove: () => Promise<void>;
};

/** The queue takes only queue-jobs of a parallel environment of its own: those of nobody else stray into it. */
export const addQueue = async (shellStartMode: string): Promise<ExtraQueue> => {
	const queueName = `qmr-${process.pid}-${shellStartMode}.q`;
	const environmentName = `qmr-${process.pid}-${shellStartMode}`;
	await configure('-Ap', environment(environmentName));
	const settings = {qname: queueName, qtype: 'NONE', pe_list: environmentName, shell_start_mode: shellStartMode};
	await configure('-Aq', withSettings(await call('qconf', ['-sq', 'all.q']), settings));
	return {
		queueName,
		qsubArgs: ['-pe', environmentName, '1'],
		remove: async () => {
			await untilGone(job => job.queue === queueName);
			// The master holds both for a moment longer than it lists their last queue-job.
			for (const words of [
				['-dq', queueName],
				['-dp', environmentName],
			])
				await vi.waitFor(() => call('qconf', words), {timeout: 60_000, interval: 500});
		},
	};
};

const environment = (name: string): string =>
	[
		`pe_name ${name}`,
		'slots 99',
		'user_lists NONE',
		'xuser_lists NONE',
		'start_proc_args NONE',
		'stop_proc_args NONE',
		'allocation_rule $pe_slots',
		'control_slaves FALSE',
		'job_is_first_task TRUE',
		'urgency_slots min',
		'accounting_summary FALSE',
		'qsort_args NONE',
		'',
	].join('\n');

const withSettings = (text: string, settings: Readonly<Record<string, string>>): string =>
	Object.entries(settings).reduce((lines, [name, value]) => lines.replace(new RegExp(`^${name} .*$`, 'm'), `${name} ${value}`), text);

const configure = async (verb: string, text: string): Promise<void> => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-qconf-'));
	try {
		writeFileSync(join(directory, 'settings'), text);
		await call('qconf', [verb, join(directory, 'settings')]);
	} finally {
		rmSync(directory, {recursive: true});
	}
};
