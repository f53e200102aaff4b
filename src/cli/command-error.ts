/** The ends of a command that are somebody's business: one or a few plain lines, without a stack. */

/** Something that was asked for failed, or is missing. */
export class CommandError extends Error {
	readonly exitCode: number;

	constructor(message: string, exitCode: number = EXIT_FAILED) {
		super(message);
		this.exitCode = exitCode;
	}
}

/** What was typed can't be meant; nothing was written or submitted. */
export class UsageError extends CommandError {
	constructor(message: string) {
		super(message, EXIT_USAGE);
	}
}

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
