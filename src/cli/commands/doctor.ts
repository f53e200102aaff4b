/** `qmr doctor`: checks a site in one go. */
import {Command} from 'commander';
import type {Level} from '../../doctor/finding.js';
import {CommandError, EXIT_FAILED, UsageError} from '../command-error.js';
import type {FlagName} from '../pool-flag-texts.js';
import {addPoolFlags, readPoolFlags} from '../pool-flags.js';
import {type Colours, coloursFor, print, printJson, say} from '../terminal.js';

export const doctorCommand = (): Command => {
	const command = new Command('doctor')
		.summary('check this site, and say what to do')
		.description(
			'Checks this machine, the scheduler and one worker-node, to which it sends a task and back, and says what to do about what it finds. Nothing is left behind.',
		)
		.option('--timeout <seconds>', 'how long the queue-job may wait in the queue until it runs', String(DEFAULT_TIMEOUT_SECONDS))
		.option('--keep', 'leave the work_dir of a round trip that has failed, to look into it')
		.option('--json', 'print {findings: [{check, level, found, toDo}], timings} as JSON')
		.addHelpText('after', EXAMPLES);
	addPoolFlags(command, {without: WITHOUT});
	return command.action(async () => {
		const {timeout, keep = false, json = false} = command.opts<{timeout: string; keep?: boolean; json?: boolean}>();
		const options = readPoolFlags(command);
		const timeoutMs = toTimeoutMs(timeout);
		const {examineSite} = await import('../../doctor/examine-site.js');
		const report = await untilSignal(signal => examineSite(options, {timeoutMs, keep, signal, tell: line => say(`qmr: ${line}`)}));
		if (json) printJson(report);
		else {
			const {formatReport} = await import('../../doctor/format-report.js');
			const colours = coloursFor(process.stdout);
			print(formatReport(report, (level, text) => colours[COLOURS[level]](text)));
		}
		if (report.findings.some(({level}) => level === 'error')) throw new CommandError('', EXIT_FAILED);
	});
};

const DEFAULT_TIMEOUT_SECONDS = 120;

/** A round trip is a map of one task of its own. */
const WITHOUT: readonly FlagName[] = ['workDir', 'resume', 'keepWorkDir', 'shared', 'handleSignals', 'progress', 'gitDiff'];

const COLOURS: Readonly<Record<Level, keyof Pick<Colours, 'green' | 'cyan' | 'yellow' | 'red'>>> = {
	ok: 'green',
	note: 'cyan',
	warning: 'yellow',
	error: 'red',
};

/** setTimeout takes no longer delays. */
const MAX_TIMEOUT_SECONDS = 2_000_000;

const toTimeoutMs = (text: string): number => {
	const timeoutSeconds = Number(text);
	if (timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT_SECONDS) return Math.ceil(timeoutSeconds * 1000);
	throw new UsageError(
		`Expected --timeout to be a number of seconds above 0 and up to ${MAX_TIMEOUT_SECONDS}, got ${JSON.stringify(text)}.`,
	);
};

const SIGNALS = {SIGHUP: 1, SIGINT: 2, SIGTERM: 15} as const;

/** A shell reports a death by signal as 128 + its number. */
const SIGNAL_EXIT = 128;

/** Calls a function that has a signal to end by; a second Ctrl-C ends the process at once. */
const untilSignal = async <T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> => {
	const controller = new AbortController();
	const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
	const onSignal = (name: keyof typeof SIGNALS): void => {
		for (const each of names) process.off(each, onSignal);
		controller.abort(new CommandError(`${name}: nothing was left behind.`, SIGNAL_EXIT + SIGNALS[name]));
	};
	for (const name of names) process.on(name, onSignal);
	try {
		return await body(controller.signal);
	} catch (error) {
		// A program of the scheduler that does not answer would keep this process for as long as it may take.
		if (error === controller.signal.reason && error instanceof CommandError) endNow(error);
		throw error;
	} finally {
		for (const name of names) process.off(name, onSignal);
	}
};

const endNow = ({message, exitCode}: CommandError): never => {
	say(`qmr: ${message}`);
	process.exit(exitCode);
};

const EXAMPLES = `
Examples:
  qmr doctor
  qmr doctor --queue-name short.q --resources memory=2G,time=10m
  qmr doctor --work-root /scratch/ada --timeout 600
  qmr doctor --json | jq '.findings[] | select(.level != "ok")'
`;
