import {type Answer, answerOf} from './answer.js';
import {executeJob} from './execute.js';
import type {Job} from './job.js';
import {parseQstatArguments, type QstatOptions} from './qstat-arguments.js';
import {describeJobs} from './qstat-job.js';
import {listAsTable, listAsXml} from './qstat-list.js';
import type {QueueState} from './state.js';
import {readQueueState, updateQueueState} from './store.js';
import {takeTurn} from './turn.js';

/** Lists the queue after it has taken its turns, or explains single queue-jobs. */
export const qstat = async (directory: string, words: readonly string[]): Promise<Answer> => {
	const options = answerOfArguments(words);
	if ('exitCode' in options) {
		return options;
	}

	if (options.jobs !== undefined) {
		return describeJobs(readQueueState(directory), options.jobs);
	}

	if (!options.asksForAttributes) {
		await takeTurns(directory);
	}

	const state = readQueueState(directory);
	const jobs = listedJobs(state, options);
	return {stdout: options.isXml ? listAsXml(state, jobs, options) : listAsTable(state, jobs, options), stderr: '', exitCode: 0};
};

const takeTurns = async (directory: string): Promise<void> => {
	const {turnsPerList} = readQueueState(directory);
	for (let i = 0; i < turnsPerList; i++) {
		for (const claim of updateQueueState(directory, takeTurn)) {
			await executeJob(directory, claim);
		}
	}
};

const answerOfArguments = (words: readonly string[]): QstatOptions | Answer => {
	let options: QstatOptions | undefined;
	const answer = answerOf(() => {
		options = parseQstatArguments(words);
		return '';
	});
	return options ?? answer;
};

const listedJobs = (state: QueueState, {users}: QstatOptions): Job[] =>
	state.jobs.filter(job => job.unlisted === undefined && (state.listsAllUsers || users.includes('*') || users.includes(job.JB_owner)));
