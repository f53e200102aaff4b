/** Waits for a map that was gone on with, or computed again, and says what has come of it. */
import type {MapRun} from '../../map-run.js';
import {shellWord} from '../../quote-for-shell.js';
import {EXIT_FAILED} from '../command-error.js';
import {findErrors, toErrorsJson} from '../look/find-errors.js';
import {formatItasks} from '../look/format-errors.js';
import {formatErrors} from '../look/tell-errors.js';
import {coloursFor, print, printJson, say} from '../terminal.js';

export type Following = {
	/** Of the whole map, with all its reruns. */
	readonly workDir: string;
	/** Leaves it as soon as all is submitted. */
	readonly isDetaching: boolean;
	readonly isJson: boolean;
};

export const followRun = async (run: MapRun<unknown>, {workDir, isDetaching, isJson}: Following): Promise<void> => {
	if (isDetaching && !run.status().isOver) {
		await run.detach();
		if (isJson) printJson({workDir, runDir: run.workDir, session: run.session, detached: true});
		else say(`Its queue-jobs go on by themselves. To come back to them: qmr resume ${shellWord(run.workDir)}`);
		return;
	}
	// Of a task that has failed all is told below.
	const outcomes = await run.outcomes();
	const found = await findErrors(workDir);
	const isWhole = found.numFailed + found.numCancelled + found.numOpen === 0;
	// Of a part of a map: these have a result from before, and nothing else would tell that they have none now.
	const told = new Set(found.groups.flatMap(({itasks}) => itasks));
	const hidden = outcomes.flatMap(({itask, status}) => (status === 'rejected' && !told.has(itask) ? [itask] : []));
	const hasHidden = run.workDir !== workDir && hidden.length > 0;
	if (hasHidden) say(`Failed now: ${formatItasks(hidden)}. Their result from before counts. Why: qmr errors ${shellWord(run.workDir)}`);
	if (isJson) printJson({...toErrorsJson(found), runDir: run.workDir, session: run.session, detached: false});
	else if (found.groups.length > 0) print(formatErrors(found, coloursFor(process.stdout)));
	else if (isWhole) print(`All ${found.numTasks} tasks have a result: qmr results ${shellWord(workDir)}`);
	else
		print(
			`${found.numTasks - found.numOpen} of ${found.numTasks} tasks have a result, and none has failed: qmr results ${shellWord(workDir)}`,
		);
	if (!isWhole || hasHidden) process.exitCode = EXIT_FAILED;
};
