/** Reads why Grid Engine does not run a queue-job: the reasons of an error state, and what it waits for. */

/**
 * The reasons in the output of `qstat -j`, as `unable to find shell "/nonexistent"`; undefined when there are none.
 *
 * @param element - Of an array: that of all its elements the output tells.
 */
export const parseErrorReason = (text: string, element?: number): string | undefined => {
	const all = [...text.matchAll(/^error reason\s+(\d+):\s+(.*)$/gm)];
	const reasons = (element === undefined ? all : all.filter(match => Number(match[1]) === element)).map(match =>
		(match[2] as string)
			// The time and the process come first: `11/21/2026 00:18:02 [0:1863]: `.
			.replace(/^.*?\[\d+:\d+\]:\s*/, '')
			// What is another for each queue-job: equal reasons read alike.
			.replace(/\s+KRB5CCNAME=\S* uid=.*$/, '')
			.replace(/^execvlp\(([^,]*), .*\) failed: /, 'execvlp($1, …) failed: ')
			.trim(),
	);
	return reasons.length === 0 ? undefined : [...new Set(reasons)].join('; ');
};

/** What no other node would do better; all others may pass (a full disk, a stale file handle, a user whom the directory service did not find). */
const LASTING = '(?:No such file or directory|Not a directory|Is a directory|Permission denied)';

/** Reasons that are the queue-job's own fault, and how each was seen on Son of Grid Engine 8.1.9. A node may have them for itself: two hosts must agree. */
export const PERMANENT_REASONS: readonly {readonly pattern: RegExp; readonly seen: string}[] = [
	{pattern: /^unable to find shell /, seen: '-S /nonexistent'},
	{pattern: new RegExp(`^error: can't chdir to .*: ${LASTING}$`), seen: '-wd /nonexistent; -wd /etc/passwd; -wd /root as another user'},
	{pattern: new RegExp(`^error: can't open output file .*: ${LASTING}$`), seen: '-o /nonexistent/x; -e /etc/x as another user'},
	{
		pattern: new RegExp(`^can't stat\\(\\) .* as std(?:in|out|err)_path: ${LASTING}$`),
		seen: '-o /etc/passwd/x; -o /closed/x and -i /closed/x as another user',
	},
	{pattern: /^error: can't open .* as dummy input file$/, seen: '-i /nonexistent'},
	{pattern: new RegExp(`^execvlp\\(.*\\) failed: ${LASTING}$`), seen: '-S /etc/passwd; -S /tmp; -b y -shell n /nonexistent'},
];

/** Whether every one of the reasons is in the table. */
export const isPermanentReason = (reason: string): boolean =>
	reason.split('; ').every(part => PERMANENT_REASONS.some(({pattern}) => pattern.test(part)));

/** A line for each of a thousand nodes says the same: so many different ones are told. */
const MAX_PENDING_REASONS = 4;

/**
 * Why a queue-job waits, in the queue's own words in one line, without its number: equal reasons read alike.
 *
 * @param verification - What `qalter -w p ID` printed; '' when it was not to be had.
 * @param details - What `qstat -j ID` printed.
 */
export const parsePendingReason = (verification: string, details: string): string | undefined => {
	const scheduling = readScheduling(details);
	const hold = describeHold(scheduling, details);
	if (hold !== undefined) return hold;
	const verified = verification.split('\n').map(line => line.trim());
	const reasons = groupByHost(
		verified.flatMap(line => (/^Job \d+(?:\.\S+)? (.*)$/.exec(line)?.[1] ?? '').replace(/^\(-l NONE\) /, '') || []),
	);
	// What waits is in no error state: other elements of its array are.
	const others = groupByHost(scheduling.filter(line => !/^(?:There are no messages available|Job is in error state)$/.test(line)));
	const found = reasons.length > 0 ? reasons : others;
	const verdict = verified.find(line => line.startsWith('verification: '))?.slice('verification: '.length);
	const parts = [...(verdict === undefined || (reasons.length === 0 && others.length > 0) ? [] : [verdict]), shorten(found)].filter(
		part => part !== '',
	);
	return parts.length === 0 ? undefined : parts.join(': ');
};

/** The lines behind `scheduling info:`, of which those from the second on are indented. */
const readScheduling = (details: string): string[] => {
	const match = /^scheduling info:\s+(.*(?:\n {20,}.*)*)/m.exec(details);
	return match === null ? [] : (match[1] as string).split('\n').map(line => line.trim());
};

const describeHold = (scheduling: readonly string[], details: string): string | undefined => {
	if (scheduling.includes('Job is in hold state')) return 'it is held, and qrls releases it';
	const jobs = /^jid_predecessor_list:\s+(\S.*)$/m.exec(details)?.[1]?.trim();
	if (jobs === undefined && !scheduling.some(line => line.includes('job dependencies'))) return undefined;
	return `it is held until other queue-jobs have ended (-hold_jid)${jobs === undefined ? '' : `: ${jobs.split(/\s+/).join(', ')}`}`;
};

/** `cannot run in queue "all.q@node1" because …` of many nodes, as one line with the first node's name and the number of the others. */
const groupByHost = (lines: readonly string[]): string[] => {
	const groups = new Map<string, {readonly first: string; count: number}>();
	for (const line of new Set(lines)) {
		const key = line.replaceAll(/"[^"]*"/g, '""').replaceAll(/hostname=\S+$/g, 'hostname=');
		const group = groups.get(key);
		if (group === undefined) groups.set(key, {first: line, count: 1});
		else group.count++;
	}
	return [...groups.values()].map(({first, count}) => (count === 1 ? first : first.replace(/"([^"]*)"/, `"$1" and ${count - 1} more`)));
};

const shorten = (reasons: readonly string[]): string =>
	[...reasons.slice(0, MAX_PENDING_REASONS), ...(reasons.length > MAX_PENDING_REASONS ? ['…'] : [])].join('; ');
