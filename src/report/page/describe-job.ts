/** One queue-job in a few lines. */
import {bytesInWords, msInWords} from '../in-words.js';
import type {JobRow, ReportData} from '../report-data.js';

export const describeJob = (job: JobRow, {hosts, wallMs}: Pick<ReportData, 'hosts' | 'wallMs'>): string => {
	const {submittedMs, beganMs, endedMs, host, jobId, memoryBytes, reason} = job;
	const where = host === null ? '' : ` on ${hosts[host]?.name}`;
	const waited = submittedMs === null ? 'claimed' : beganMs === null ? 'not begun' : `waited ${msInWords(beganMs - submittedMs)}`;
	const ran = beganMs === null ? '' : `, ran ${msInWords((endedMs ?? wallMs) - beganMs)}`;
	const computed =
		job.numTasks === 0 ? '' : `, computed ${job.numTasks} ${job.numTasks === 1 ? 'task' : 'tasks'} in ${msInWords(job.computingMs)}`;
	const failed = job.numFailed === 0 ? '' : `, of which ${job.numFailed} failed`;
	const used = memoryBytes === null ? '' : `, used ${bytesInWords(memoryBytes)}`;
	return `Chunk ${job.ichunk}, attempt ${job.attempt}, queue-job ${jobId ?? 'not known'}${where}: ${job.state}
${waited}${ran}${computed}${failed}${used}${reason === null ? '' : `\n${reason}`}`;
};
