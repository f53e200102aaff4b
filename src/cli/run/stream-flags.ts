/** The flags of the commands that read lines of JSON and write one line for each. */
import {createReadStream, existsSync, fstatSync, openSync, type Stats, statSync} from 'node:fs';
import {resolve} from 'node:path';
import {type Command, Option} from 'commander';
import {CommandError, UsageError} from '../command-error.js';
import {say} from '../terminal.js';
import {type JsonLine, readJsonLines} from './json-lines.js';
import {createLineOutput, type LineOutput} from './line-output.js';
import {createLog, type Log} from './log.js';

export const addStreamFlags = (command: Command): Command =>
	command
		.option('-i, --input <file>', 'where the lines are read from (default: stdin)')
		.option('-o, --output <file>', 'where the lines are written to, each as soon as it is known; it must not exist (default: stdout)')
		.option('-l, --log <file>', 'where the log is added to (default: stderr)')
		.option('--force', 'write over the file of --output')
		.addOption(new Option('--limit <n>', 'take the first n only, and read no further').argParser(readLimit))
		.option('--dry-run', 'make the work_dir, say what would be submitted, and submit nothing; `qmr resume` starts it')
		.option('--json', 'with --dry-run: say it as one JSON value on stdout');

export type StreamFlags = {
	readonly input?: string;
	readonly output?: string;
	readonly log?: string;
	readonly force?: boolean;
	readonly limit?: number;
	readonly dryRun?: boolean;
	readonly json?: boolean;
};

const readLimit = (text: string): number => {
	if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
	throw new UsageError(`Expected --limit to be an integer from 1 and up, got ${JSON.stringify(text)}.`);
};

export type Streams = {
	readonly lines: AsyncIterable<JsonLine>;
	readonly output: LineOutput;
	readonly log: Log;
	/** Reads no more. */
	readonly close: () => void;
};

/** @throws UsageError when one of the files can't be had; nothing is written then. */
export const openStreams = ({input, output, log, force = false, limit, dryRun = false}: StreamFlags): Streams => {
	if (output !== undefined && existsSync(output) && !force)
		throw new UsageError(`Expected --output to be a new file, but ${output} is there. Name another one, or pass --force.`);
	refuseOneFile({input, output, log, isWriting: !dryRun});
	const source = input === undefined ? process.stdin : createReadStream('', {fd: openForReading(input)});
	if (input === undefined && process.stdin.isTTY) say('Reading from the terminal; Ctrl-D ends it.');
	return {
		lines: takeFirst(readJsonLines(withWords(source)), limit),
		log: createLog(log),
		output: createLineOutput(dryRun ? undefined : output),
		close: () => source.destroy(),
	};
};

type Ends = {readonly [Name in 'input' | 'output' | 'log']: string | undefined} & {readonly isWriting: boolean};

/** What is written to the input would be read as further lines, or be the end of those that are not read yet; also when a shell has opened it. */
const refuseOneFile = ({input, output, log, isWriting}: Ends): void => {
	const files: readonly {readonly name: string; readonly file: string | undefined}[] = [
		{name: input === undefined ? 'stdin' : '--input', file: identify(input ?? 0)},
		...(isWriting ? [{name: output === undefined ? 'stdout' : '--output', file: identify(output ?? 1)}] : []),
		...(log === undefined ? [] : [{name: '--log', file: identify(log)}]),
	];
	files.forEach(({name, file}, i) => {
		const other = files.slice(0, i).find(before => file !== undefined && before.file === file);
		if (other !== undefined) throw new UsageError(`Expected ${other.name} and ${name} to be two files, got one for both.`);
	});
};

/** By all its names, and by any descriptor, a file is the same; undefined for what is none, as a pipe. Of one that is not there yet its path. */
const identify = (file: string | number): string | undefined => {
	const stats = statOf(file);
	if (stats === undefined) return typeof file === 'string' ? resolve(file) : undefined;
	return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined;
};

const statOf = (file: string | number): Stats | undefined => {
	try {
		return typeof file === 'number' ? fstatSync(file) : statSync(file);
	} catch {
		return undefined;
	}
};

const openForReading = (path: string): number => {
	try {
		if (statSync(path).isDirectory()) throw new Error(`${path} is a directory`);
		return openSync(path, 'r');
	} catch (error) {
		throw new UsageError(`Expected --input to be a file that can be read: ${(error as Error).message}`);
	}
};

async function* withWords(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	try {
		yield* source;
	} catch (error) {
		throw new CommandError(`The input can't be read any further: ${(error as Error).message}`);
	}
}

/** Lines that are no JSON are told, and do not count. */
async function* takeFirst(lines: AsyncIterable<JsonLine>, limit: number = Number.POSITIVE_INFINITY): AsyncGenerator<JsonLine> {
	let numTaken = 0;
	for await (const line of lines) {
		yield line;
		if (line.kind === 'value' && ++numTaken >= limit) return;
	}
}
