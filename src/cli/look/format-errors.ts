/** Groups of equal failures, and a thrown error with all its causes, as text. */
import {ADVICE} from '../../advice.js';
import type {RemoteError, TaskErrorKind} from '../../errors.js';
import {formatRanges} from '../../group-failures.js';
import {toPlainLine, toPlainText} from '../plain-text.js';
import type {Colours} from '../terminal.js';
import type {ErrorGroup} from './error-groups.js';

const MAX_HOSTS = 8;
const MAX_STDERR_LINES = 10;

export const formatErrorGroup = (group: ErrorGroup, {red, dim}: Pick<Colours, 'red' | 'dim'>): string => {
	const {reason, kind, itasks, hosts, example} = group;
	const tail = example.stderr.trimEnd().split('\n').slice(-MAX_STDERR_LINES).join('\n');
	const more = hosts.length > MAX_HOSTS ? `, … (${hosts.length} hosts)` : '';
	return [
		red(toPlainLine(reason)),
		`  ${formatItasks(itasks)}, kind ${kind}`,
		...(hosts.length === 0 ? [] : [`  on ${toPlainLine(hosts.slice(0, MAX_HOSTS).join(', '))}${more}`]),
		...(example.remote === undefined ? [] : [`  thrown in task ${example.itask}:`, dim(indent(formatRemote(example.remote), 4))]),
		...(tail === '' ? [] : [`  stderr of task ${example.itask}:`, dim(indent(toPlainText(tail), 4))]),
		...formatAdvice({kind, remote: example.remote}).map(advice => `  what to do: ${advice}`),
	].join('\n');
};

/** Of what was thrown that is to be looked at which stands there already. */
export const formatAdvice = ({kind, remote}: {readonly kind: TaskErrorKind; readonly remote?: RemoteError | undefined}): string[] =>
	kind === 'exception' && remote !== undefined ? [] : [adviceOn(kind)];

export const adviceOn = (kind: TaskErrorKind): string => ADVICE[kind] ?? 'This kind is of another version of the library.';

/** `tasks 3, 7, 9-41`, and how many, when that is not seen at a glance. */
export const formatItasks = (itasks: readonly number[]): string => {
	if (itasks.length === 1) return `task ${itasks[0]}`;
	const ranges = formatRanges(itasks);
	return `tasks ${ranges}${ranges.includes('-') && !ranges.endsWith('tasks)') ? ` (${itasks.length} tasks)` : ''}`;
};

/** The stack, then every cause with its own. */
export const formatRemote = (remote: RemoteError): string => {
	const {name, message, stack, code, cause, errors = [], properties = {}} = remote;
	const title = `${name}: ${message}`;
	const details = Object.entries({...(code === undefined ? {} : {code}), ...properties}).map(([key, value]) => `${key}: ${String(value)}`);
	return [
		toPlainText(stack === undefined || stack === '' ? title : stack),
		...(details.length === 0 ? [] : [`  (${toPlainLine(details.join(', '))})`]),
		...(cause === undefined ? [] : [indent(`caused by ${formatRemote(cause)}`, 2)]),
		...errors.map((error, i) => indent(`error ${i + 1} of ${errors.length}: ${formatRemote(error)}`, 2)),
	].join('\n');
};

export const indent = (text: string, width: number): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(width));
