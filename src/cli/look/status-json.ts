/** What `qmr status --json` prints. */
import {findRanges} from '../../group-failures.js';
import {countGrouped} from './error-groups.js';
import type {StatusParts} from './format-status.js';
import {isComplete, type MapView} from './look-at-map.js';

export const toStatusJson = (view: MapView, {chunks, queue}: StatusParts): object => {
	const {map, summary, owner, groups} = view;
	const {session, message, tags, function: fn, call, engine, createdAt, processNode} = map.manifest;
	const {counts, jobs, givenUp, numResubmissions, hosts, rate = null, remainingMs = null, lastEvent} = summary;
	return {
		session,
		workDir: map.workDir,
		message,
		tags,
		function: fn,
		call,
		engine,
		startedAt: createdAt,
		startedBy: {user: processNode.user, host: processNode.host, pid: processNode.pid},
		owner,
		isComplete: isComplete(view),
		tasks: counts,
		queueJobs: jobs,
		givenUp,
		numResubmissions,
		hosts,
		rate,
		remainingMs,
		failures: groups.map(({reason, kind, itasks, hosts: on}) => ({
			reason,
			kind,
			itasks: findRanges(itasks),
			numTasks: itasks.length,
			hosts: on,
		})),
		// Of very many failures not all are read.
		numFailuresRead: countGrouped(groups),
		lastEvent: lastEvent ?? null,
		...(queue === undefined ? {} : {queue}),
		...(chunks ? {chunks: summary.chunks} : {}),
		problems: map.problems,
	};
};
