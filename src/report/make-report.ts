/** A work_dir -> its report, as HTML. The map may still run. */
import {itaskOf} from '../chunks.js';
import {lookAtOwner} from '../look-at-owner.js';
import type {KnownChunk, OpenWorkDir} from '../open-work-dir.js';
import {realFiles} from '../ports.js';
import {printInput} from '../print-input.js';
import {readAttempts} from '../read-attempts.js';
import {createTaskReader} from '../read-tasks.js';
import {type AttemptRecord, readTasks, type TaskRecord} from '../read-work-dir.js';
import {type Advice, advise} from './advise.js';
import {collectReport, type ReportInput, tasksToShow, withInputs} from './collect-report.js';
import type {ReportData} from './report-data.js';
import {readPage, toHtml} from './write-report.js';

export type MadeReport = {readonly data: ReportData; readonly advice: readonly Advice[]; readonly html: string};

export const makeReport = async (map: OpenWorkDir, nowMs: number = Date.now()): Promise<MadeReport> => {
	const bare = collectReport(await readAll(map), nowMs);
	const data = withInputs(bare, await readInputs(map, tasksToShow(bare)));
	const advice = advise(data);
	return {data, advice, html: toHtml(await readPage(), data, advice)};
};

const readAll = async (map: OpenWorkDir): Promise<ReportInput> => {
	const tasks: TaskRecord[] = [];
	const chunks: {ichunk: number; attempts: readonly AttemptRecord[]}[] = [];
	for await (const ofChunk of readTasks(map, {values: false})) {
		const chunk = map.chunks[chunks.length] as KnownChunk;
		for (const task of ofChunk) tasks.push(task);
		// All tasks of a chunk have its attempts, but for those that were computed again.
		const own = ofChunk.find(({rerun}) => rerun === undefined);
		chunks.push({ichunk: chunk.chunk.ichunk, attempts: own?.attempts ?? (await readAgain(map, chunk))});
	}
	const {workDir, manifest, journal, names, problems} = map;
	const {kind} = await lookAtOwner(workDir, names);
	return {workDir, manifest, journal, problems, tasks, chunks, isLeft: kind === 'dead' || kind === 'released'};
};

const readAgain = ({workDir, manifest}: OpenWorkDir, {chunk, events, files}: KnownChunk): Promise<AttemptRecord[]> =>
	readAttempts(realFiles, events, {workDir, session: manifest.session, ichunk: chunk.ichunk, files, runs: new Map()});

const readInputs = async ({workDir, manifest, chunks}: OpenWorkDir, wanted: ReadonlySet<number>): Promise<Map<number, string>> => {
	const places: {readonly itask: number; readonly place: number; readonly chunk: KnownChunk['chunk']}[] = [];
	for (const {chunk} of chunks) {
		for (let i = 0; i < chunk.numTasks; i++) {
			const itask = itaskOf(chunk, i);
			if (wanted.has(itask)) places.push({itask, place: chunk.firstTask + i, chunk});
		}
	}
	const chunkOf = new Map(places.map(({place, chunk}) => [place, chunk]));
	const readTask = createTaskReader(workDir, manifest.session, place => chunkOf.get(place) as KnownChunk['chunk'], realFiles);
	const inputs = new Map<number, string>();
	for (const {itask, place} of places) {
		try {
			inputs.set(itask, printInput(await readTask(place)));
		} catch {
			// It is shown without.
		}
	}
	return inputs;
};
