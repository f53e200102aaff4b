/** What to do about a failure, by its kind. The words are those of the README, held equal by test/house/papers.test.ts. */
import type {TaskErrorKind} from './errors.js';

export const ADVICE: {readonly [Kind in TaskErrorKind]: string} = {
	exception: 'Look at `remote`, and at `cause`, which has the stack of the worker-node.',
	exit: 'Return or throw; a task must not end the process.',
	'unhandled-rejection': 'Await every promise and every child process or stream that `fn` begins. `remote` has what was thrown.',
	'uncaught-exception': 'Await every promise and every child process or stream that `fn` begins. `remote` has what was thrown.',
	'never-settled': 'Look for a callback that is never called, or a promise that nobody resolves.',
	'result-unserialisable': 'Return plain data; the message says what to pass in its place.',
	'task-limit': 'Raise `taskLimitMs`, or look why this task takes so long: `input` is what it was given.',
	'start-failed': 'Look at the host: other worker-nodes could begin. Is the file system mounted there?',
	'code-changed':
		"Leave the program as it is while a map runs, or pass `onCodeChange: 'warn'`. `Pool.resume(workDir)` computes with the old version once it is back.",
	'out-of-memory': 'Ask for more by `resources` (a function of the attempt can do so by itself), `qsubArgs` or `sbatchArgs`.',
	'wall-time': 'Ask for more time by `resources`, `qsubArgs` or `sbatchArgs`, or make the chunks smaller.',
	killed: 'Look at `stderrTail` and ask the site: somebody, or the system for want of memory, has killed it.',
	'node-lost': 'Nothing, if it is one. The site knows more of that host.',
	'error-state':
		'The reason is in the message, in the words of `qstat -j` or `scontrol show job`. Correct it, or exclude that host by `qsubArgs` or `sbatchArgs`.',
	deleted: 'Ask who did it; `Pool.resume` does not bring it back.',
	'pending-limit': 'The reason is in the message, in the words of the queue. Ask for what the queue has.',
	'result-unreadable': 'The files are kept as `.damaged`: ask the site about its file system.',
	lost: 'Look at `stderrTail` and at the accounting (`qacct -j`, `sacct -j`): as a rule a limit of memory or time. Ask for more by `resources`, or make the chunks smaller.',
	cancelled: 'Nothing: look at the failure or the abort that ended the map.',
};
