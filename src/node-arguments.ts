import process from 'node:process';
import {isWorker} from './task-context.js';

/**
 * What of this process's Node arguments a worker needs too: loaders, conditions, limits of memory, flags of V8. Left out is what would
 * make it do something else, or do to every worker what was meant for this one process.
 */
export const workerNodeArguments = (execArgv: readonly string[] = ownArguments(), isVitest: boolean = isInsideVitest()): string[] => {
	// vitest starts its processes with flags that are made for its own loader.
	if (isVitest) return [];
	const options: string[][] = [];
	for (const argument of execArgv) {
		// Only options and their values are in execArgv: what is no option is the value of the one before.
		if (argument.startsWith('-') || options.length === 0) options.push([argument]);
		else options.at(-1)?.push(argument);
	}
	return options.filter(([name = '']) => !LEFT_OUT.test(name.replace(/=.*$/s, ''))).flat();
};

/** The last of those that launch.sh gives by itself. Node's own warnings are kept in the result file: on stderr they would look like the task's. */
export const LAST_OF_LAUNCHER = '--no-warnings';

/** In a task: without those that were made for this queue-job, as the size of its heap. */
const ownArguments = (): readonly string[] =>
	isWorker ? process.execArgv.slice(process.execArgv.indexOf(LAST_OF_LAUNCHER) + 1) : process.execArgv;

// Not the variable VITEST: programs that a test starts inherit it.
const isInsideVitest = (): boolean => '__vitest_worker__' in globalThis;

const LEFT_OUT = new RegExp(
	[
		// A debugger, a watcher, a test run, a profile: meant for the one process that was started with it.
		'^--(inspect|debug-port|watch|test|experimental-test|no-experimental-test|cpu-prof|heap-prof|heapsnapshot|prof$|trace-event)',
		// Another thing to run than the worker program.
		'^--(eval|print|interactive|input-type|check|run|build-snapshot|build-snapshot-config|snapshot-blob|build-sea|experimental-sea-config)$',
		'^-([epics]|pe)?$',
		// One name for one process; what env files say is in the environment already, and that is passed on.
		'^--(title|redirect-warnings|env-file)',
	].join('|'),
);
