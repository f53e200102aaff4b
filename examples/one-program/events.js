/** What is measured, and what is made of it: particles leave hits in a detector, each along a line. */
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {randomStream} from 'queue-map-reduce';

const NUM_LAYERS = 50;

/**
 * Writes the hits of made-up events, and gives the jobs: small references, for whoever does them reads the file himself.
 *
 * @type {(directory: string, numEvents: number) => Promise<{directory: string, event: number}[]>}
 */
export const makeJobs = async (directory, numEvents) => {
	await mkdir(directory, {recursive: true});
	const jobs = Array.from({length: numEvents}, (_, event) => ({directory, event}));
	for (const job of jobs) {
		const random = randomStream(`event ${job.event}`);
		const [offset, slope] = [random(), random()];
		const hits = Array.from({length: NUM_LAYERS}, (_, layer) => [layer, offset + slope * layer + (random() - 0.5) / 10]);
		await writeFile(fileOf(job, 'json'), JSON.stringify(hits));
	}
	return jobs;
};

/**
 * The mapped function: finds the line of one event, writes it next to the hits and returns it.
 *
 * @type {(job: {directory: string, event: number}) => Promise<{event: number, slope: number, offset: number}>}
 */
export const runJob = async job => {
	/** @type {[number, number][]} */
	const hits = JSON.parse(await readFile(fileOf(job, 'json'), 'utf8'));
	const meanX = mean(hits.map(([x]) => x));
	const meanY = mean(hits.map(([, y]) => y));
	const slope = mean(hits.map(([x, y]) => (x - meanX) * (y - meanY))) / mean(hits.map(([x]) => (x - meanX) ** 2));
	const line = {event: job.event, slope, offset: meanY - slope * meanX};
	await writeFile(fileOf(job, 'line.json'), JSON.stringify(line));
	return line;
};

/** @type {(job: {directory: string, event: number}, extension: string) => string} */
const fileOf = ({directory, event}, extension) => path.join(directory, `${String(event).padStart(6, '0')}.${extension}`);

/** @type {(numbers: readonly number[]) => number} */
const mean = numbers => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
