/** The head of the report, its figures and its advice. */
import type {Advice} from '../advise.js';
import {msInWords, percentInWords} from '../in-words.js';
import type {ReportData} from '../report-data.js';
import {element, facts, section, withCode} from './dom.js';

export const createHead = ({map, counts, wallMs, generatedAtMs}: ReportData): readonly Node[] => {
	const state =
		map.state === 'running'
			? {label: map.isLeft ? 'left before its end' : 'not ended yet', kind: map.isLeft ? 'bad' : 'open'}
			: counts.done === counts.total
				? {label: 'all done', kind: 'good'}
				: {
						label: counts.failed > 0 ? `${counts.failed.toLocaleString('en')} failed` : counts.cancelled > 0 ? 'cancelled' : 'incomplete',
						kind: 'bad',
					};
	const began = utc(map.beganAtMs);
	const until = map.state === 'running' ? `until this report was made, ${utc(generatedAtMs)}` : `to ${utc(map.beganAtMs + wallMs)}`;
	return [
		element('h1', {}, map.message === '' ? map.function : map.message, element('span', {class: `badge ${state.kind}`}, state.label)),
		element(
			'p',
			{class: 'subtitle'},
			`${counts.total.toLocaleString('en')} tasks of `,
			element('code', {}, map.function),
			` on ${map.engine}, ${began} ${until}${map.tags.length === 0 ? '' : `, ${map.tags.join(', ')}`}`,
		),
	];
};

export const createFigures = ({counts, numRerun, wallMs, jobs, slots, durations, map}: ReportData): HTMLElement => {
	const inJobs = `${slots.numJobs.toLocaleString('en')} for ${map.numChunks.toLocaleString('en')} chunks`;
	const lost = jobs.filter(({state}) => state === 'failed').length;
	const left = counts.running + counts.pending;
	const cancelled = counts.cancelled === 0 ? '' : `${counts.cancelled.toLocaleString('en')} were cancelled; `;
	const share = slots.heldMs > 0 ? slots.computingMs / slots.heldMs : undefined;
	const tiles: readonly (readonly [name: string, value: string, note: string, isBad?: boolean])[] = [
		[
			'Tasks done',
			counts.done.toLocaleString('en'),
			`of ${counts.total.toLocaleString('en')}${numRerun === 0 ? '' : `; ${numRerun.toLocaleString('en')} in a rerun`}`,
		],
		[
			'Tasks failed',
			counts.failed.toLocaleString('en'),
			`${cancelled}${left === 0 ? 'none is left' : `${left.toLocaleString('en')} have no outcome`}`,
			counts.failed > 0,
		],
		['It took', msInWords(wallMs), `for ${msInWords(durations.totalMs)} of computing`],
		['Ran at a time', slots.onAverage.toFixed(slots.onAverage < 10 ? 1 : 0), `queue-jobs on average, at most ${slots.atMost}`],
		[
			'Waited',
			slots.medianWaitMs === null ? '–' : msInWords(slots.medianWaitMs),
			`in the queue (median), at most ${msInWords(slots.longestWaitMs ?? 0)}`,
		],
		['Slots used', share === undefined ? '–' : percentInWords(Math.min(1, share)), 'of their time was spent in tasks'],
		['Queue-jobs lost', lost.toLocaleString('en'), inJobs, lost > 0],
	];
	return element(
		'dl',
		{class: 'tiles', 'aria-label': 'Figures'},
		...tiles.map(([name, value, note, isBad]) =>
			element(
				'div',
				{class: isBad ? 'tile bad' : 'tile'},
				element('dt', {}, name),
				element('dd', {}, value),
				element('dd', {class: 'note'}, note),
			),
		),
	);
};

export const createAdvice = (advice: readonly Advice[]): HTMLElement =>
	section(
		'advice',
		'Advice',
		advice.length === 0
			? element('p', {}, 'Nothing stands out: what was asked for was used, and nothing was lost.')
			: element(
					'ul',
					{class: 'advice'},
					...advice.map(({id, weight, title, figure, action}) =>
						element(
							'li',
							{class: weight, 'data-advice': id},
							element('h3', {}, title, element('span', {class: 'weight'}, weight)),
							element('p', {}, ...withCode(figure)),
							element('p', {}, ...withCode(action)),
						),
					),
				),
	);

export const createAbout = ({map, problems, generatedAtMs, libraryVersion}: ReportData): HTMLElement =>
	section(
		'about',
		'About this map',
		element(
			'div',
			{class: 'card'},
			facts([
				['session', element('code', {}, map.session)],
				['work_dir', element('code', {}, map.workDir)],
				['called by', `${map.user} on ${map.host}: ${map.command}`],
				['Node', map.node],
				['git commit', map.gitCommit ?? 'none'],
				['options', element('code', {}, map.options)],
				['noted last', utc(map.beganAtMs + map.lastNoteMs)],
				['report made', `${utc(generatedAtMs)} by queue-map-reduce ${libraryVersion}`],
			]),
			...(problems.length === 0
				? []
				: [
						element('h3', {}, 'What could not be read'),
						element('ul', {class: 'small'}, ...problems.map(problem => element('li', {}, problem))),
					]),
		),
	);

const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
