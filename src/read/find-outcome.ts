/** What became of one task, by the blocks of its chunk and by what the journal knows of the attempts. */
import {findBlock} from '../block-file/find-block.js';
import type {JournalLine} from '../journal.js';
import type {Block, OutputRange, TaskFailure} from '../v8-serialize-helpers.js';
import type {TaskOutcomeRecord} from './read-work-dir.js';

export type FoundOutcome = {
	/** That computed it, or whose worker died in it. */
	readonly attempt: number;
	readonly outcome: TaskOutcomeRecord;
	/** Undefined when nobody could say. */
	readonly startedAt: Date | undefined;
	readonly elapsedMs: number | undefined;
	readonly output: OutputRange | undefined;
};

/** @param i - Its index in the chunk. */
export const findOutcome = (blocks: readonly Block[], i: number, events: readonly JournalLine[]): FoundOutcome | undefined => {
	const block = findBlock(blocks, i);
	if (block === undefined || i >= block.first + block.count) return undefined;
	const at = i - block.first;
	const failure = block.failures.get(i);
	const startedAt = block.startedAt[at] as number;
	const elapsedMs = block.elapsedMs[at] as number;
	return {
		...(failure === undefined
			? {attempt: block.attempt, outcome: {status: 'fulfilled', value: block.values[at]}}
			: toRejected(failure, block.attempt, events)),
		startedAt: Number.isNaN(startedAt) ? undefined : new Date(startedAt),
		elapsedMs: Number.isNaN(elapsedMs) ? undefined : elapsedMs,
		output: block.outputs.get(i),
	};
};

/** Of a task in which workers died the one that gave it up knows only that; why the last of them did is in the journal. */
const toRejected = (
	{deadAttempts = [], ...failure}: TaskFailure,
	attempt: number,
	events: readonly JournalLine[],
): Pick<FoundOutcome, 'attempt' | 'outcome'> => {
	const death = events.findLast(({event, attempt: dead}) => event === 'lost' && dead !== undefined && deadAttempts.includes(dead));
	const cause =
		death?.kind === undefined || failure.kind === 'task-limit'
			? {}
			: {kind: death.kind, message: `its worker died while it computed this task: ${death.reason}`};
	return {attempt: death?.attempt ?? attempt, outcome: {status: 'rejected', ...failure, ...cause}};
};
