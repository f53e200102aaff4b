/** Where a command writes: results to stdout, all that is said to people to stderr; and whether in colour. */
import pc from 'picocolors';
import {sayBeside} from '../live-lines.js';
import {EXIT_FAILED} from './command-error.js';
import {toPlainJson} from './plain-text.js';

/** One line, or several, to stdout. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** One line, or several, to stderr. */
export const say = (text: string): void => sayBeside(text);

/** As JSON that people can read, too. */
export const printJson = (value: unknown): void => print(toPlainJson(JSON.stringify(value, null, '\t')));

/** Colours for a stream; none when it is no terminal, or nobody wants them (https://no-color.org). */
export const coloursFor = (stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Colours =>
	pc.createColors((stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb') || Boolean(env.FORCE_COLOR && env.FORCE_COLOR !== '0'));

export type Colours = ReturnType<typeof pc.createColors>;

/** What reads our output may have seen enough, as `head`: that is no failure. */
export const endWhenNobodyReads = (): void => {
	for (const stream of [process.stdout, process.stderr]) {
		stream.on('error', (error: NodeJS.ErrnoException) => onWriteError(error, stream));
	}
};

type WriteErrorListener = (error: NodeJS.ErrnoException, stream: NodeJS.WriteStream) => void;

let onWriteError: WriteErrorListener = (error, stream) => {
	if (error.code === 'EPIPE') process.exit();
	// As of a disk that is full. Where nothing can be said, the exit code tells.
	if (stream === process.stdout) process.stderr.write(`qmr: stdout can't be written: ${error.message}\n`);
	process.exit(EXIT_FAILED);
};

/** For a command that has something to clear up before it ends by itself. */
export const whenWritingFails = (listener: WriteErrorListener): void => {
	onWriteError = listener;
};
