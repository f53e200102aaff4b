/** `qmr rerun --local`: one task in the foreground, and what became of it. */
import {inspect} from 'node:util';
import {formatDuration} from '../../format-duration.js';
import {type OutcomeHere, runTaskHere, type TaskHere} from '../../later/run-task-here.js';
import {printInput} from '../../print-input.js';
import {shellWord} from '../../quote-for-shell.js';
import {EXIT_FAILED} from '../command-error.js';
import {formatRemote} from '../look/format-errors.js';
import {toJsonValue} from '../look/json-value.js';
import {toPlainLine} from '../plain-text.js';
import {coloursFor, print, printJson, say} from '../terminal.js';

/** @param isJson - Then stdout is for the outcome alone, and what the task writes there goes to stderr. */
export const printTaskHere = async (task: Omit<TaskHere, 'stdout' | 'tell'>, isJson: boolean): Promise<void> => {
	const {dim, red, yellow} = coloursFor(process.stderr);
	const outcome = await runTaskHere({...task, stdout: isJson ? 2 : 1, tell: line => say(yellow(line))});
	const {itask, input, elapsedMs, taskDir} = outcome;
	say(dim(`task ${itask}: ${toPlainLine(printInput(input))}`));
	if (isJson) printJson(toJson(outcome));
	else if (outcome.status === 'fulfilled')
		print(inspect(outcome.value, {depth: null, colors: coloursFor(process.stdout).isColorSupported}));
	else {
		const {kind, message, remote} = outcome.failure;
		say(`${red(`${kind}: ${toPlainLine(message)}`)}${remote === undefined ? '' : `\n${formatRemote(remote)}`}`);
	}
	if (elapsedMs !== undefined) say(dim(`after ${formatDuration(elapsedMs)}`));
	if (taskDir !== undefined) say(`files of the task: ${shellWord(taskDir)}`);
	if (outcome.status === 'rejected') process.exitCode = EXIT_FAILED;
};

const toJson = (outcome: OutcomeHere): object => {
	const {itask, elapsedMs, taskDir, status} = outcome;
	const common = {itask, status, elapsedMs: elapsedMs ?? null, taskDir: taskDir ?? null};
	return outcome.status === 'fulfilled'
		? {...common, value: toJsonValue(outcome.value)}
		: {...common, kind: outcome.failure.kind, message: outcome.failure.message, error: outcome.failure.remote ?? null};
};
