import {type Answer, answerOf, Refusal} from './answer.js';
import {readQueueState} from './store.js';

/** Shows the configuration of the cluster, as far as there is one here: `qconf -sconf`. */
export const qconf = (directory: string, words: readonly string[]): Answer =>
	answerOf(() => {
		if (words.join(' ') !== '-sconf') {
			throw new Refusal(1, 'SGE 8.1.9\nusage: qconf -sconf');
		}

		const {maxElements, maxUserJobs} = readQueueState(directory);
		return ['#global:', line('max_aj_instances', 2000), line('max_aj_tasks', maxElements), line('max_u_jobs', maxUserJobs), ''].join('\n');
	});

const line = (name: string, value: number): string => `${name.padEnd(28)} ${value}`;
