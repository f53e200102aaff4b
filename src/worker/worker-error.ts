import {EXIT_CODES} from '../exit-codes.js';

/** Why this worker can't go on. No fault of fn's. */
export class WorkerError extends Error {
	/** The status to end with. */
	readonly exitCode: number;

	constructor(reason: keyof typeof EXIT_CODES, message: string, options: {cause?: unknown} = {}) {
		super(message, options);
		this.exitCode = EXIT_CODES[reason];
	}
}
Object.defineProperty(WorkerError.prototype, 'name', {value: 'WorkerError', configurable: true, writable: true});

/** The code of a failed system call, as `ENOENT`. */
export const systemCodeOf = (error: unknown): string | undefined =>
	error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
