/** A work_dir -> its report, as HTML. The map may still run. */
import {realFiles} from '../ports.js';
import {printInput} from '../print-input.js';
import {createTaskReader} from '../read-tasks.js';
import {readWorkDir, type WorkDirRecord} from '../read-work-dir.js';
import {type Advice, advise} from './advise.js';
import {collectReport, tasksToShow, withInputs} from './collect-report.js';
import type {ReportData} from './report-data.js';
import {readPage, toHtml} from './write-report.js';

export type MadeReport = {readonly data: ReportData; readonly advice: readonly Advice[]; readonly html: string};

/** @throws PoolError `ERR_POOL_WORK_DIR` when it is no work_dir that can be read. */
export const makeReport = async (workDir: string, nowMs: number = Date.now()): Promise<MadeReport> => {
	const record = await readWorkDir(workDir, {values: false});
	const bare = collectReport(record, nowMs);
	const data = withInputs(bare, await readInputs(record, tasksToShow(bare)));
	const advice = advise(data);
	return {data, advice, html: toHtml(await readPage(), data, advice)};
};

const readInputs = async ({workDir, manifest, tasks}: WorkDirRecord, itasks: ReadonlySet<number>): Promise<Map<number, string>> => {
	const chunks = new Map<number, {ichunk: number; firstTask: number; numTasks: number}>();
	for (const {ichunk, itask} of tasks) {
		const chunk = chunks.get(ichunk);
		if (chunk === undefined) chunks.set(ichunk, {ichunk, firstTask: itask, numTasks: 1});
		else chunk.numTasks++;
	}
	const ichunkOf = new Map(tasks.flatMap(({itask, ichunk}) => (itasks.has(itask) ? [[itask, ichunk] as const] : [])));
	const readTask = createTaskReader(
		workDir,
		manifest.session,
		itask => chunks.get(ichunkOf.get(itask) ?? -1) ?? {ichunk: -1, firstTask: 0, numTasks: 0},
		realFiles,
	);
	const inputs = new Map<number, string>();
	for (const itask of [...itasks].sort((a, b) => a - b)) {
		try {
			inputs.set(itask, printInput(await readTask(itask)));
		} catch {
			// It is shown without.
		}
	}
	return inputs;
};
