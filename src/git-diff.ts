/** What differs from the commit that is checked out, for a map that wants it kept. */
import {isUtf8} from 'node:buffer';
import {GIT_DIFF} from './layout.js';
import type {Mask} from './mask-environment.js';

/** A diff is there within a second; so long only a file system takes that does not answer. */
const TIMEOUT_MS = 30_000;
/** Of source text nobody changes so much between two commits: there are data in it then, which do not belong here. */
const MAX_BYTES = 10 * 2 ** 20;

/** What a user's own settings would change in a diff that `git apply` is to read. As `-c`, for git of 2013 knows no flags for them. */
const PLAIN_PATCH = ['diff.noprefix=false', 'diff.mnemonicPrefix=false', 'diff.relative=false'].flatMap(setting => ['-c', setting]);

export type GitDiffSettings = {
	readonly directory: string;
	readonly mask: Mask;
	readonly tell: (line: string) => void;
	/** Ends git; there is no diff then. */
	readonly signal: AbortSignal;
	readonly timeoutMs?: number;
	readonly maxBytes?: number;
};

/**
 * What `git diff HEAD` says in a directory, byte for byte but for values of the environment; what is longer than 10 MiB is cut at the end of a line, with a note.
 * Undefined, and one line is told, when there is no diff to be had: no git, no checkout, no commit yet.
 */
export const readGitDiff = async ({
	directory,
	mask,
	tell,
	signal,
	timeoutMs = TIMEOUT_MS,
	maxBytes = MAX_BYTES,
}: GitDiffSettings): Promise<Buffer | undefined> => {
	const {execa} = await import('execa');
	const result = await execa('git', [...PLAIN_PATCH, 'diff', '--no-color', '--no-ext-diff', '--no-textconv', 'HEAD'], {
		cwd: directory,
		// Its first line is shown among our English ones.
		env: {LC_ALL: 'C'},
		stdin: 'ignore',
		encoding: 'buffer',
		stripFinalNewline: false,
		reject: false,
		timeout: timeoutMs,
		maxBuffer: maxBytes,
		cancelSignal: signal,
	});
	if (result.isMaxBuffer) {
		tell(`queue-map-reduce: ${GIT_DIFF} is cut after ${maxBytes} bytes: what differs from the git commit is larger than that`);
		return cut(maskBytes(Buffer.from(result.stdout), mask), maxBytes);
	}
	if (!result.failed) return maskBytes(Buffer.from(result.stdout), mask);
	const [firstLine = ''] = Buffer.from(result.stderr).toString().trim().split('\n');
	const why = result.timedOut
		? `git took longer than ${timeoutMs / 1000} s`
		: result.exitCode === undefined
			? `git can't be run (${result.code ?? result.signal ?? result.originalMessage})`
			: `git says: ${firstLine}`;
	if (!result.isCanceled) tell(`queue-map-reduce: there is no ${GIT_DIFF}, for ${mask(why)}`);
	return undefined;
};

/** A file that is no UTF-8 must not be changed by reading it as such: only lines without such bytes are taken as text, and of others each byte as a character. */
const maskBytes = (diff: Buffer, mask: Mask): Buffer => {
	if (isUtf8(diff)) return Buffer.from(mask(diff.toString()));
	return Buffer.concat(
		splitLines(diff).map(line => {
			const encoding = isUtf8(line) ? 'utf8' : 'latin1';
			return Buffer.from(mask(line.toString(encoding)), encoding);
		}),
	);
};

/** Each with its line feed. */
const splitLines = (bytes: Buffer): Buffer[] => {
	const lines: Buffer[] = [];
	for (let start = 0; start < bytes.length; ) {
		const lineFeed = bytes.indexOf('\n', start);
		const end = lineFeed === -1 ? bytes.length : lineFeed + 1;
		lines.push(bytes.subarray(start, end));
		start = end;
	}
	return lines;
};

const cut = (diff: Buffer, maxBytes: number): Buffer =>
	Buffer.concat([
		diff.subarray(0, diff.lastIndexOf('\n') + 1),
		Buffer.from(`# queue-map-reduce has cut this diff after ${maxBytes} bytes: git apply can't use it.\n`),
	]);
