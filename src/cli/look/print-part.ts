/** One part of what is known of a task, and nothing else: for other programs. */
import {shellWord} from '../../quote-for-shell.js';
import {CommandError} from '../command-error.js';
import type {Part} from '../commands/show.js';
import {openOutput} from '../run/open-output.js';
import {formatRemote} from './format-errors.js';
import {toJsonValue} from './json-value.js';
import type {TaskView} from './look-at-task.js';

/** @throws CommandError when it has no such part (yet). */
export const printPart = async (view: TaskView, part: Part): Promise<void> => {
	const text = textOf(view, part);
	if (text === undefined) {
		const {task, map} = view;
		throw new CommandError(
			`Task ${task.itask} (${task.state}) has no ${part}. All that is known of it: qmr show ${shellWord(map.workDir)} ${task.itask}`,
		);
	}
	const {write} = await openOutput(undefined, {force: false});
	await write(text);
};

const textOf = ({task: {input, outcome, stdout, stderr}}: TaskView, part: Part): string | undefined => {
	switch (part) {
		case 'input':
			return formatRaw(input);
		case 'result':
			return outcome?.status === 'fulfilled' ? formatRaw(outcome.value) : undefined;
		case 'stdout':
			return stdout;
		case 'stderr':
			return stderr;
		case 'error':
			if (outcome?.status !== 'rejected') return undefined;
			return `${outcome.remote === undefined ? outcome.message : formatRemote(outcome.remote)}\n`;
	}
};

const formatRaw = (value: unknown): string => (typeof value === 'string' ? value : `${JSON.stringify(toJsonValue(value), null, '\t')}\n`);
