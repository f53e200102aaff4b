/** What is needed to break the library on purpose, and the promises that are to be seen broken. */
import type {Edit} from './run-seeds.js';

export type Variant = {
	readonly name: string;
	readonly edits: readonly Edit[];
	/** At least one of these promises it must be seen to break. */
	readonly breaks: readonly string[];
};

export const GIVEN_UP: string = 'a queue-job that may bring its result is not given up';
export const NOT_WAITED_FOR: string = 'a result that is on the disk is waited for';
export const TWICE: string = 'no attempt is submitted twice';
export const LEFT: string = 'no queue-job of ours is left in the end';
export const NO_REASON: string = 'a task fails only for a reason that there was';
export const HANGS: string = 'no map waits for something that can not happen';
export const WITH_RESULT: string = 'nothing is submitted for a chunk that has its result';

export const TOO_MANY_QUEUED: string = 'never more queue-jobs are in the queue than asked';
export const TOO_MANY_RUNNING: string = 'never more queue-jobs run than asked';
export const BY_TWO: string = 'no chunk is claimed by two';

export const edit = (path: string, from: string, to: string): Edit => ({path: `src/${path}`, from, to});
