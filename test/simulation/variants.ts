/** The library with one thing broken on purpose. A simulation that finds nothing wrong with one of these is worth nothing. */
import {ARRAY_VARIANTS} from './array-variants.js';
import {BY_TWO, edit, GIVEN_UP, HANGS, LEFT, NO_REASON, NOT_WAITED_FOR, TWICE, type Variant, WITH_RESULT} from './variant.js';

export const VARIANTS: readonly Variant[] = [
	...ARRAY_VARIANTS,
	{
		name: 'one answer of the queue without a queue-job is enough',
		edits: [edit('judge.ts', 'export const MISSED_ANSWERS = 3;', 'export const MISSED_ANSWERS = 1;')],
		breaks: [GIVEN_UP],
	},
	{
		name: 'a queue that does not answer has no queue-jobs',
		edits: [
			edit('ask-queue.ts', "return {kind: 'silent', reason: error instanceof Error ? error.message : String(error)};", 'listing = [];'),
		],
		breaks: [GIVEN_UP, NO_REASON],
	},
	{
		name: 'no grace time after a clean end',
		edits: [edit('judge.ts', 'nowMs - sinceMs < graceMs)) return undefined;', 'false)) return undefined;')],
		breaks: [NOT_WAITED_FOR],
	},
	{
		name: 'only the current attempt may bring the result',
		edits: [edit('judge.ts', 'const whole = chunk.attempts.find(', 'const whole = chunk.attempts.slice(-1).find(')],
		breaks: [NOT_WAITED_FOR, WITH_RESULT],
	},
	{
		name: 'a submission without an answer is taken for none',
		edits: [
			edit(
				'submit.ts',
				"state.needsSweep = true;\n\t\t\taccept(state, chunk, next);\n\t\t\tstate.journal.note({event: 'warning'",
				"state.journal.note({event: 'warning'",
			),
		],
		breaks: [TWICE],
	},
	{
		name: 'a submission without an answer is given up at once',
		edits: [edit('judge.ts', 'const isCertain = ', 'const isCertain = current.jobId === undefined || ')],
		breaks: [GIVEN_UP],
	},
	{
		name: 'attempts are not counted',
		edits: [
			edit('judge.ts', 'if (numIdle > max) return false;', ''),
			edit('judge.ts', 'return numBegins <= max || ', 'return numBegins >= 0 || '),
		],
		breaks: [HANGS],
	},
	{
		name: 'an attempt that finishes a task does not begin the count anew',
		edits: [edit('judge.ts', 'counted.slice(lastProgress + 1)', 'counted')],
		breaks: [NO_REASON],
	},
	{
		name: 'begins of a task are not counted by the worker',
		edits: [
			edit(
				'worker/chunk-progress.ts',
				'if (attempts.length <= maxNumResubmissions) return undefined;',
				'if (attempts.length >= 0) return undefined;',
			),
		],
		breaks: ['no task is begun more than 1 + maxNumResubmissions times'],
	},
	{
		name: 'finished tasks of earlier attempts are not taken over',
		edits: [edit('worker/earlier-attempts.ts', '(longest?.scan.numFinished ?? 0)) longest =', 'Number.POSITIVE_INFINITY) longest =')],
		breaks: ['no finished work is computed again'],
	},
	{
		name: 'what a dead attempt has finished is lost when its chunk fails',
		edits: [
			edit(
				'reduce.ts',
				'const {blocks, sources} = await readFinished(files, input, chunk, attempts);',
				'const {blocks, sources} = {blocks: [], sources: []};',
			),
		],
		breaks: ['no finished work is lost'],
	},
	{
		name: 'no queue-job is swept at the end',
		edits: [edit('end-map.ts', 'await sweep(state, engine);', 'void sweep;')],
		breaks: [LEFT],
	},
	{
		name: 'a damaged result is taken',
		edits: [
			edit(
				'block-file/block-frames.ts',
				'frame.readUInt32LE(8) === checksum([frame.subarray(0, 8), payload]);',
				'checksum([payload]) >= 0;',
			),
		],
		breaks: ['a map is ended before its time only for a reason that there was', 'the value of a task is what it returned'],
	},
	{
		name: 'an unreachable node is given up at once',
		edits: [
			edit(
				'judge.ts',
				'limits.unreachableAfterMs !== false && forMs >= limits.unreachableAfterMs',
				'limits.unreachableAfterMs !== false && forMs >= 0',
			),
		],
		breaks: [GIVEN_UP],
	},
	{
		name: 'a queue-job that is held or suspended is taken for a dead one',
		edits: [
			edit(
				'judge.ts',
				"case 'running':\n\t\tcase 'held':\n\t\tcase 'suspended':\n\t\t\treturn undefined;",
				"case 'running':\n\t\t\treturn undefined;\n\t\tcase 'held':\n\t\tcase 'suspended':\n\t\t\treturn {cause: 'lost', reason: 'it does not run'};",
			),
		],
		breaks: [GIVEN_UP],
	},
	{
		name: 'what somebody has deleted is brought back',
		edits: [edit('judge.ts', "case 'deleted':\n\t\tcase 'pending-limit':", "case 'pending-limit':")],
		breaks: ['what somebody has deleted is not brought back'],
	},
	{
		name: 'a chunk that is done is submitted all the same',
		edits: [edit('act.ts', 'state.toSubmit.delete(chunk);', '')],
		breaks: [WITH_RESULT],
	},
	{
		name: 'the work_dir is removed although a task failed',
		edits: [edit('end-map.ts', 'if (failed + cancelled > 0) return', 'if (failed + cancelled < 0) return')],
		breaks: ['the work_dir is kept when a task failed'],
	},
	{
		name: 'the journal is written after the submission',
		edits: [
			edit('submit.ts', 'await state.journal.flush({durable: true});', ''),
			edit('submit.ts', 'return takeAll(', 'await state.journal.flush({durable: true});\n\treturn takeAll('),
		],
		breaks: [TWICE],
	},
	{
		name: 'who has lost the work_dir goes on submitting',
		edits: [edit('owner.ts', 'if (newest <= number) return;', 'if (newest > 0) return;')],
		breaks: ['who has lost the work_dir submits nothing', TWICE],
	},
	{
		name: 'an owner that can not be seen is taken for dead at once',
		edits: [edit('owner.ts', 'return nowMs - seen.sinceMs >= STANDSTILL_MS;', 'return true;')],
		breaks: ['two processes do not drive one work_dir'],
	},
	{
		name: 'attempts are forgotten when a map is resumed',
		edits: [
			edit(
				'replay-journal.ts',
				'const attempt = attemptOf(number, chunk, state);',
				"if (line.event === 'submitting') return;\n\tconst attempt = attemptOf(number, chunk, state);",
			),
			edit('restore-map.ts', 'takeNumbers(state, found);', ''),
		],
		breaks: [TWICE],
	},
	{
		name: 'a failed chunk is forgotten when a map is resumed',
		edits: [edit('replay-journal.ts', "chunk.decision = {kind: 'failed', attempt: number ?? 0};", '')],
		breaks: ['resuming a finished map gives the same outcomes', 'resuming a finished map submits nothing'],
	},
	{
		name: 'a line is written behind one that was torn off',
		edits: [edit('journal.ts', 'mayBeTorn && (await isTorn(path, files))', 'mayBeTorn && (await isTorn(path, files)) && false')],
		breaks: ['every line of the log is valid JSON'],
	},
	{
		name: 'a queue-job of another name is taken for ours',
		edits: [
			edit('ask-queue.ts', 'job?.name === jobName ? job : undefined', 'job'),
			edit('ask-queue.ts', 'listing.filter(({name}) => isNameOf(state.session, name))', 'listing'),
		],
		breaks: [HANGS],
	},
	{
		name: 'a chunk that is claimed is claimed once more',
		edits: [edit('worker/claim-chunk.ts', "if (typeof file === 'string') return file;", "if (typeof file === 'string') return 'claimed';")],
		breaks: [BY_TWO],
	},
	{
		name: 'the claim of a dead queue-job is never given back',
		edits: [edit('act.ts', 'state.toSubmit.add(chunk);', 'if (chunk.attempts.at(-1)?.home === undefined) state.toSubmit.add(chunk);')],
		breaks: [HANGS],
	},
	{
		name: 'a claim that is never filled is nobody’s',
		edits: [
			edit(
				'take-claims.ts',
				'const [known] = chunk.attempts;',
				'const [known] = chunk.attempts;\n\tif (claim === undefined) return false;',
			),
		],
		breaks: [HANGS],
	},
	{
		name: 'who has claimed a chunk is not looked for under its own name',
		edits: [
			edit(
				'take-claims.ts',
				'attempt.jobName = submitted?.jobName ?? jobName(state.session, home.ichunk, home.attempt);',
				'attempt.jobId = undefined;',
			),
		],
		breaks: [GIVEN_UP],
	},
	{
		name: 'queue-jobs that have ended between two chunks are not replaced',
		edits: [edit('poll.ts', "if (isAsking && isInSight) await withFiles(state, fileOutage('claim'), refill.fill);", '')],
		breaks: [HANGS],
	},
	{
		name: 'queue-jobs are replaced without claiming a chunk for them',
		edits: [edit('refill.ts', 'await files.create(claimPath(', 'void [files, encodeClaim]; void (claimPath(')],
		breaks: [BY_TWO, TWICE],
	},
	{
		name: 'chunks that nobody has claimed are submitted when a map is resumed',
		edits: [edit('restore-map.ts', 'if (isUnclaimed(state, chunk)) return false;', '')],
		breaks: [BY_TWO, TWICE],
	},
];
