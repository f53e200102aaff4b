/** The library with its arrays, or its limits, broken on purpose. */
import {edit, GIVEN_UP, HANGS, LEFT, NO_REASON, NOT_WAITED_FOR, TOO_MANY_QUEUED, TOO_MANY_RUNNING, type Variant} from './variant.js';

export const ARRAY_VARIANTS: readonly Variant[] = [
	{
		name: 'an element of an array is taken for the one before it',
		edits: [edit('submit.ts', 'arrays.elementId(outcome.id, i + 1)', 'arrays.elementId(outcome.id, i)')],
		breaks: [GIVEN_UP, NOT_WAITED_FOR, NO_REASON, LEFT],
	},
	{
		name: 'an array without an answer is looked for by its name alone',
		edits: [edit('layout.ts', 'element === undefined ? name : `${name}/${element}`', 'element === undefined ? name : name')],
		breaks: [GIVEN_UP, NOT_WAITED_FOR, HANGS, LEFT, NO_REASON],
	},
	{
		name: 'an element is forgotten when a map is resumed',
		edits: [
			edit(
				'replay-journal.ts',
				'attempt.element = elementOf(state.session, line.jobName, (attempt.home ?? chunk.chunk).ichunk);',
				'void elementOf;',
			),
		],
		breaks: [GIVEN_UP, NOT_WAITED_FOR],
	},
	{
		name: 'an array of a site that allows no such large one is submitted',
		edits: [edit('submit.ts', 'Math.min(state.maxElements, await arrays.maxElements())', 'state.maxElements')],
		breaks: ['no array is larger than the site allows'],
	},
	{
		name: '`maxQueuedJobs` does not hold back an array',
		edits: [edit('plan-submission.ts', 'return Math.min(length, maxQueuedJobs - numLiving);', 'return length;')],
		breaks: [TOO_MANY_QUEUED],
	},
	{
		name: 'an array does not wait for what runs beside it',
		edits: [edit('plan-submission.ts', 'return length <= numFree ? length : 0;', 'return length;')],
		breaks: [TOO_MANY_RUNNING],
	},
	{
		name: 'the limits are forgotten when a queue-job is missing from one answer',
		edits: [edit('capacity.ts', 'current.job.answers >= MISSED_ANSWERS', 'current.job.answers >= MISSED_ANSWERS - 2')],
		breaks: [TOO_MANY_QUEUED, TOO_MANY_RUNNING],
	},
	{
		name: 'what is about to leave the queue is not counted',
		edits: [edit('capacity.ts', 'leaving.set(jobId, undefined);', 'void [leaving, jobId];')],
		breaks: [TOO_MANY_QUEUED],
	},
	{
		name: 'a removal that the queue has not heard of is tried again at the end only',
		edits: [edit('poll.ts', 'await removeJobs(state, ports, []);', '')],
		breaks: [HANGS],
	},
	{
		name: 'an answer of the queue that was heard before is taken for a new one',
		edits: [
			edit(
				'ask-queue.ts',
				'Math.max(submittedMs, answeredMs, nowMs - options.pollingIntervalMs / 2)',
				'Math.max(submittedMs, nowMs - 600_000)',
			),
		],
		breaks: [GIVEN_UP, NO_REASON, HANGS],
	},
	{
		name: 'an array that is too large for the queue is tried again as it is',
		edits: [edit('capacity.ts', 'Math.max(1, Math.floor(numElements / 2))', 'numElements')],
		breaks: [HANGS],
	},
];
