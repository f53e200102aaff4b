/** Draws the report from the data in the page. Runs in a browser, and loads nothing. */
import {unpackRows} from '../pack-rows.js';
import type {ReportData} from '../report-data.js';
import type {EmbeddedData} from '../write-report.js';
import {createAsks, createFailures, createHosts, createSlowest, createTimes} from './details.js';
import {element, section} from './dom.js';
import {createJobsTable} from './jobs-table.js';
import {createAbout, createAdvice, createFigures, createHead} from './overview.js';
import {createTimeline} from './timeline.js';

const readData = (): EmbeddedData => JSON.parse(document.getElementById('data')?.textContent ?? '') as EmbeddedData;

const createContents = (sections: readonly HTMLElement[]): HTMLElement =>
	element(
		'ul',
		{},
		...sections.map(({id, firstChild}) => element('li', {}, element('a', {href: `#${id}`}, firstChild?.textContent ?? id))),
	);

const showReport = (): void => {
	const embedded = readData();
	const data: ReportData = {...embedded, jobs: unpackRows(embedded.jobs)};
	const timeline = section('timeline', 'Timeline', element('div', {class: 'card'}, createTimeline(data)));
	const sections = [
		createAdvice(embedded.advice),
		timeline,
		createFailures(data),
		createTimes(data),
		createHosts(data),
		createAsks(data),
		createSlowest(data),
		createJobsTable(data),
		createAbout(data),
	];
	document.getElementById('head')?.append(...createHead(data));
	document.getElementById('contents')?.append(createContents(sections));
	document.getElementById('report')?.replaceChildren(createFigures(data), ...sections);
	document.getElementById('foot')?.append(element('p', {}, 'Made by queue-map-reduce. This file loads nothing and sends nothing.'));
};

showReport();
