/** What a program prints and exits with. */
export type Answer = {stdout: string; stderr: string; exitCode: number};

/** A refusal: thrown by the helpers of a program, printed by it on stderr. */
export class Refusal extends Error {
	readonly exitCode: number;

	constructor(exitCode: number, text: string) {
		super(text);
		this.exitCode = exitCode;
	}
}

/** What Grid Engine's qsub says when the master refuses a job. */
export const deny = (reason: string): Refusal => new Refusal(1, `Unable to run job: ${reason}\nExiting.`);

/** The answer of `program`, or its refusal. */
export const answerOf = (program: () => string): Answer => {
	try {
		return {stdout: program(), stderr: '', exitCode: 0};
	} catch (error) {
		if (error instanceof Refusal) {
			return {stdout: '', stderr: `${error.message}\n`, exitCode: error.exitCode};
		}

		throw error;
	}
};
