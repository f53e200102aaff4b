/**
 * What a case of the benchmark is, and how it is run: all its contestants one after the other, several times over, so that whatever else this machine does
 * meets all of them alike.
 *
 * @typedef {object} Bench
 * @property {import('./engines.js').BenchEngine} engine
 * @property {boolean} quick - small sizes, to see that it runs
 * @property {number} slots - queue-jobs that can run at once
 * @property {(map: import('./measure-map.js').MapToMeasure) => Promise<import('./measure-map.js').MeasuredMap>} measure - in a new process
 * @property {(size: import('./peers.js').BatchtoolsSize) => Promise<number>} batchtools - seconds
 * @property {string} directory - for files, shared with the worker-nodes
 *
 * @typedef {object} Case
 * @property {string} name - for `--cases`
 * @property {string} title - what is done
 * @property {string} [limit] - what the contestant of that name is
 * @property {string} unit - of what the contestants return
 * @property {Record<string, () => Promise<number>>} contestants - `ours`, maybe `limit`, and peers
 * @property {Verdict} verdict
 * @property {number} [maxRuns] - for what takes long
 *
 * @typedef {{name: string, title: string, report: (numRuns: number) => Promise<void>}} Report - prints tables of its own; run only when it is named
 *
 * @typedef {object} Verdict
 * @property {string} unit
 * @property {number} [most] - the target
 * @property {(medians: Record<string, number>) => number} of
 *
 * @typedef {{case: Case, values: Record<string, number[]>, left: Record<string, string>}} CaseResult - `left`: contestants that were left out, and why
 */

import {Skip} from './skip.js';
import {median} from './statistics.js';

/** Ours against the limit. @type {(most?: number) => Verdict} */
export const ratio = most => ({
	unit: 'times',
	...(most === undefined ? {} : {most}),
	of: ({ours = Number.NaN, limit = Number.NaN}) => ours / limit,
});

/** Ours alone. @type {(unit: string, most?: number) => Verdict} */
export const ownValue = (unit, most) => ({unit, ...(most === undefined ? {} : {most}), of: ({ours = Number.NaN}) => ours});

/** @type {(each: Case, numRuns: number, say: (line: string) => void) => Promise<CaseResult>} */
export const runCase = async (each, numRuns, say) => {
	/** @type {Record<string, number[]>} */
	const values = {};
	/** @type {Record<string, string>} */
	const left = {};
	const names = Object.keys(each.contestants);
	for (let run = 0; run < Math.min(numRuns, each.maxRuns ?? numRuns); run++) {
		for (let i = 0; i < names.length; i++) {
			// Each is the first as often as the others.
			const name = names[(run + i) % names.length] ?? '';
			if (left.ours !== undefined || left[name] !== undefined) continue;
			try {
				const value = (await each.contestants[name]?.()) ?? Number.NaN;
				values[name] = [...(values[name] ?? []), value];
				say(`${each.name}, run ${run + 1}, ${name}: ${value.toPrecision(4)} ${each.unit}`);
			} catch (error) {
				const {message} = /** @type {Error} */ (error);
				// An hour of figures is not thrown away because one can't be had.
				left[name] = error instanceof Skip ? message : `failed: ${message.split('\n')[0]}`;
				say(`${each.name}: ${name} is left out: ${error instanceof Skip ? message : /** @type {Error} */ (error).stack}`);
				if (!(error instanceof Skip)) process.exitCode = 1;
			}
		}
	}
	return {case: each, values, left};
};

/** @type {(result: CaseResult) => number} */
export const verdictOf = ({case: each, values}) =>
	each.verdict.of(Object.fromEntries(Object.entries(values).map(([name, list]) => [name, median(list)])));
