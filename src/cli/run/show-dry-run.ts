/** What `--dry-run` says. */
import type {DryRun} from '../../command-map.js';
import {shellWord} from '../../quote-for-shell.js';
import {print, printJson, say} from '../terminal.js';

/** The first ones tell what all are like. */
const MAX_SHOWN = 3;

export const showDryRun = (dryRun: DryRun | undefined, isJson: boolean): void => {
	if (dryRun === undefined) {
		if (isJson) printJson(null);
		else say('There are no tasks: nothing was written, and nothing would be submitted.');
		return;
	}
	const {workDir, engine, numTasks, calls = []} = dryRun;
	if (isJson) {
		printJson({workDir, engine, numTasks, calls});
		return;
	}
	say(`${numTasks} tasks; by the engine ${engine} ${calls.length === 1 ? 'this would be submitted' : `${calls.length} submissions`}:`);
	for (const call of calls.slice(0, MAX_SHOWN)) say(`  ${call.map(shellWord).join(' ')}`);
	if (calls.length > MAX_SHOWN) say('  …');
	say(`Nothing was submitted. To start it: qmr resume ${shellWord(workDir)}`);
	print(workDir);
};
