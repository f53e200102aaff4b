/** A report for people: a line for each check, and under it what to do; pure. */
import type {Finding, Level, SiteReport, Timings} from './finding.js';

/** Gives a text its colour. */
export type Paint = (level: Level, text: string) => string;

export const formatReport = ({findings, timings}: SiteReport, paint: Paint): string =>
	[...findings.flatMap(finding => formatFinding(finding, paint)), ...formatTimings(timings), '', summarise(findings, paint)].join('\n');

const MARKS: Readonly<Record<Level, string>> = {ok: 'ok  ', note: 'note', warning: 'WARN', error: 'FAIL'};

/** As wide as `ok  `, and a blank. */
const INDENT = '     ';

const formatFinding = ({check, level, found, toDo}: Finding, paint: Paint): string[] => [
	`${paint(level, MARKS[level])} ${check}: ${found}`,
	...(toDo === undefined ? [] : [`${INDENT}-> ${toDo}`]),
];

const NAMES: {readonly [Name in keyof Timings]: string} = {
	submitMs: 'submit',
	waitingMs: 'wait in the queue',
	launcherMs: 'launcher',
	nodeStartMs: 'start of Node',
	importMs: 'import',
	taskMs: 'task',
	resultMs: 'result seen here',
	totalMs: 'all of it',
	clockUncertaintyMs: 'clocks agree to',
};

const formatTimings = (timings: Timings): string[] => {
	const known = Object.entries(NAMES).flatMap(([name, words]) => {
		const ms = timings[name as keyof Timings];
		return ms === null ? [] : [`${INDENT}${words.padEnd(18)} ${(ms / 1000).toFixed(3).padStart(8)} s`];
	});
	return known.length === 0 ? [] : ['', 'The round trip:', ...known];
};

const summarise = (findings: readonly Finding[], paint: Paint): string => {
	const count = (wanted: Level): number => findings.filter(({level}) => level === wanted).length;
	const [numErrors, numWarnings] = [count('error'), count('warning')];
	if (numErrors > 0) return paint('error', `Maps will fail here: ${numErrors} of ${findings.length} checks failed.`);
	if (numWarnings > 0) return paint('warning', `Maps will run here; ${numWarnings} of ${findings.length} checks warn.`);
	return paint('ok', `All is well: ${findings.length} checks.`);
};
