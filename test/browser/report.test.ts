import {statSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {MadeMap} from '../helpers/made-work-dir.js';
import {findBadStructure, findLowContrast, isFocusSeen} from './accessibility.js';
import {countPixels, expectQuiet, pictureOf, takePicture, untilDrawn, useReports} from './open-report.js';

const GIBIBYTE = 2 ** 30;

const FAILURE = {
	kind: 'exception',
	message: 'RangeError: alpha must be below 1, got 1.03',
	remote: {
		name: 'RangeError',
		message: 'alpha must be below 1',
		stack: 'RangeError: alpha must be below 1, got 1.03\n    at measure (/home/ada/measure.js:12:9)',
	},
} as const;

/** Of everything a report can show there is some. */
const MAP: MadeMap = {
	numChunks: 120,
	tasksPerChunk: 5,
	numHosts: 4,
	slotsPerHost: 6,
	taskMs: 4000,
	lostShare: 0.08,
	failedShare: 0.04,
	failure: FAILURE,
	stderr: 'reading parameters\nalpha is out of range\n',
	resources: {memoryBytes: 8 * GIBIBYTE, timeSeconds: 36_000},
	memoryBytes: 3e8,
	manifest: {message: 'Phase diagram of the XY model', tags: ['xy']},
};

const reports = useReports();

describe.each(['light', 'dark'] as const)('in %s', colorScheme => {
	test('the report draws itself without a word, and asks for nothing', async () => {
		const open = await reports.open(await reports.make(MAP), {colorScheme});
		const {page} = open;
		await untilDrawn(page);
		expect(await page.locator('h1').textContent()).toContain('Phase diagram of the XY model');
		for (const colour of ['computing', 'failed']) expect(await countPixels(page, colour)).toBeGreaterThan(500);
		await takePicture(page, `report-${colorScheme}`);
		expectQuiet(open);
	});

	test('every text can be read against what is behind it', async () => {
		const {page} = await reports.open(await reports.make(MAP), {colorScheme});
		expect(await page.evaluate(findLowContrast)).toEqual([]);
		const isDark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor === 'rgb(21, 24, 28)');
		expect(isDark).toBe(colorScheme === 'dark');
		// It would be found.
		await page.evaluate(colour => document.documentElement.style.setProperty('--muted', colour), isDark ? '#444444' : '#bbbbbb');
		expect(await page.evaluate(findLowContrast)).not.toEqual([]);
	});
});

describe('hostile words', () => {
	const HOSTILE = `</script><script>window.hacked = 1</script><img src="http://127.0.0.1:9/x" onerror="window.hacked = 1"><!--\u2028\u202e \u001b[31mred\u001b[0m $&`;
	const SHOWN = HOSTILE.replaceAll(/\u001b\[\d+m/g, '');

	test('in messages, stacks, stderr, tasks, hosts and names are shown as they are, and are nothing but text', async () => {
		const open = await reports.open(
			await reports.make({
				...MAP,
				numChunks: 8,
				failedShare: 1,
				hostName: ihost => `${HOSTILE}${ihost}`,
				task: () => HOSTILE,
				stderr: HOSTILE,
				failure: {kind: 'exception', message: HOSTILE, remote: {name: 'Error', message: HOSTILE, stack: HOSTILE}},
				manifest: {message: HOSTILE, tags: [HOSTILE], function: {kind: 'global', name: HOSTILE, path: []}},
			}),
		);
		const {page} = open;
		await untilDrawn(page);
		expect(await page.locator('h1').textContent()).toContain(HOSTILE);
		const stderr = page.getByRole('region', {name: /^stderr of task/}).first();
		expect(await stderr.textContent()).toBe(SHOWN);
		expect(await page.locator('details pre').first().textContent()).toBe(SHOWN);
		expect(await page.evaluate(() => [document.scripts.length, document.images.length, 'hacked' in window])).toEqual([2, 0, false]);
		expectQuiet(open);
	});

	test('could load and run nothing even if they became markup, and that would be seen', async () => {
		const open = await reports.open(await reports.make({...MAP, numChunks: 2}));
		const {page, offences} = open;
		await page.evaluate(words => {
			document.body.insertAdjacentHTML('beforeend', words);
			const script = document.createElement('script');
			script.textContent = 'window.hacked = 1';
			document.body.append(script);
		}, '<img src="http://127.0.0.1:9/x" onerror="window.hacked = 1"><p style="color: red" onclick="window.hacked = 1">words</p>');
		await page.locator('body > p').click();
		expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
		await expect.poll(() => offences.join('\n'), {timeout: 60_000}).toMatch(/Content Security Policy[\s\S]*Content Security Policy/);
	});
});

describe('by keyboard', () => {
	test('the first key leads past the contents, and wherever Tab leads the focus is to be seen', async () => {
		const {page} = await reports.open(await reports.make({...MAP, numChunks: 30}));
		await page.keyboard.press('Tab');
		expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the report');
		const reached = new Set<string>();
		for (let i = 0; i < 90; i++) {
			expect(await page.evaluate(isFocusSeen)).toBe(true);
			reached.add(await page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.closest('section')?.id ?? ''}`));
			await page.keyboard.press('Tab');
			if (await page.evaluate(() => document.activeElement === document.body)) break;
		}
		expect([...reached]).toEqual(
			expect.arrayContaining([
				'A ',
				'INPUT timeline',
				'BUTTON timeline',
				'CANVAS timeline',
				'SUMMARY failures',
				'PRE failures',
				'BUTTON hosts',
				'SELECT jobs',
			]),
		);
	});

	test('the timeline is zoomed, moved, scrolled and walked through, and shows all again', async () => {
		const open = await reports.open(await reports.make(MAP));
		const {page} = open;
		await untilDrawn(page);
		const canvas = page.locator('#timeline-canvas');
		await canvas.focus();
		const whole = await pictureOf(page);
		let before = whole;
		for (const key of ['+', 'ArrowRight', 'ArrowLeft', '-', '+', '+']) {
			await page.keyboard.press(key);
			await untilDrawn(page);
			const after = await pictureOf(page);
			expect([key, after === before]).toEqual([key, false]);
			before = after;
		}
		await page.keyboard.press('0');
		await untilDrawn(page);
		expect(await pictureOf(page)).toBe(whole);
		// There is nothing outside of it.
		for (const key of ['ArrowRight', 'ArrowLeft', 'ArrowDown', '-']) {
			await page.keyboard.press(key);
			await untilDrawn(page);
			expect([key, (await pictureOf(page)) === whole]).toEqual([key, true]);
		}
		const status = page.locator('#timeline [role="status"]');
		await page.keyboard.press('n');
		const first = await status.textContent();
		expect(first).toMatch(/^Chunk \d+, attempt 1, queue-job \d+ on node\d: (?:done|failed)\nwaited .* ran /);
		await page.keyboard.press('n');
		expect(await status.textContent()).not.toBe(first);
		await page.keyboard.press('p');
		expect(await status.textContent()).toBe(first);
		await page.keyboard.press('Escape');
		expect(await status.textContent()).toBe('');
		expectQuiet(open);
	});

	test('its rows can be queue-jobs, in which waiting is seen, and be made taller and scrolled', async () => {
		const {page} = await reports.open(await reports.make(MAP));
		await page.getByRole('radio', {name: 'hosts'}).focus();
		await page.keyboard.press('ArrowRight');
		await untilDrawn(page);
		expect(await page.getByRole('radio', {name: 'queue-jobs'}).isChecked()).toBe(true);
		expect(await countPixels(page, 'waiting')).toBeGreaterThan(2000);
		await takePicture(page, 'report-rows');
		await page.locator('#timeline-canvas').focus();
		for (const key of [']', ']', 'ArrowDown', 'ArrowUp', '[']) {
			const before = await pictureOf(page);
			await page.keyboard.press(key);
			await untilDrawn(page);
			expect([key, (await pictureOf(page)) === before]).toEqual([key, false]);
		}
	});

	test('tables are sorted and turned, and queue-jobs are found', async () => {
		const {page} = await reports.open(await reports.make(MAP));
		const jobs = page.locator('#jobs');
		const firstRow = async (): Promise<string[]> => jobs.locator('tbody tr').first().locator('td').allTextContents();
		const sortBy = async (name: string): Promise<string | null> => {
			const button = jobs.getByRole('button', {name, exact: true});
			await button.focus();
			await page.keyboard.press('Enter');
			return jobs.locator('th', {has: page.getByRole('button', {name, exact: true})}).getAttribute('aria-sort');
		};
		expect((await firstRow()).slice(0, 2)).toEqual(['0', '1']);
		expect(await sortBy('Chunk')).toBe('descending');
		expect((await firstRow())[0]).toBe('119');
		expect(await sortBy('Chunk')).toBe('ascending');
		expect((await firstRow())[0]).toBe('0');
		const status = jobs.locator('[role="status"]');
		const total = /of (\d+)$/.exec((await status.textContent()) ?? '')?.[1];
		expect(await status.textContent()).toBe(`1 to 20 of ${total}`);
		await jobs.getByRole('button', {name: 'Next'}).focus();
		await page.keyboard.press('Enter');
		expect(await status.textContent()).toBe(`21 to 40 of ${total}`);
		for (let i = 0; i < 10; i++) await page.keyboard.press('Enter');
		// At the end the button stays where it is, and does nothing.
		expect(await status.textContent()).toBe(`${Math.floor((Number(total) - 1) / 20) * 20 + 1} to ${total} of ${total}`);
		expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Next');
		await jobs.getByLabel('State').selectOption('failed');
		const lost = await status.textContent();
		expect(Number(lost?.split(' ').at(-1))).toBeLessThan(30);
		await jobs.getByLabel('Find').fill('node2');
		expect(await jobs.locator('tbody tr').count()).toBeGreaterThan(0);
		for (const row of await jobs.locator('tbody tr').allTextContents()) expect(row).toMatch(/failed.*node2.*SIGKILL/);
		await jobs.getByLabel('Find').fill('nowhere');
		expect(await status.textContent()).toBe('none');
	});
});

test('by mouse a queue-job tells of itself, is chosen, dragged and zoomed at', async () => {
	const open = await reports.open(await reports.make(MAP));
	const {page} = open;
	await untilDrawn(page);
	const canvas = page.locator('#timeline-canvas');
	await canvas.scrollIntoViewIfNeeded();
	const box = await canvas.boundingBox();
	const [x, y] = [(box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 250];
	const tip = page.locator('.tip');
	for (let dx = 0; dx < 60 && !(await tip.isVisible()); dx += 6) await page.mouse.move(x + dx, y);
	expect(await tip.textContent()).toMatch(/^Chunk \d+, attempt \d/);
	await page.mouse.down();
	await untilDrawn(page);
	const whole = await pictureOf(page);
	expect(await page.locator('#timeline [role="status"]').textContent()).toBe(await tip.textContent());
	await page.mouse.up();
	await page.keyboard.down('Control');
	await page.mouse.wheel(0, -240);
	await page.keyboard.up('Control');
	await untilDrawn(page);
	await expect.poll(() => pictureOf(page), {timeout: 60_000}).not.toBe(whole);
	const zoomed = await pictureOf(page);
	await page.mouse.down();
	await page.mouse.move(x - 200, y);
	await page.mouse.up();
	await untilDrawn(page);
	expect(await pictureOf(page)).not.toBe(zoomed);
	await page.mouse.move(5, 5);
	expect(await tip.isVisible()).toBe(false);
	expectQuiet(open);
});

describe('the page', () => {
	test('has a structure that is understood without being seen', async () => {
		const {page} = await reports.open(await reports.make(MAP));
		expect(await page.evaluate(findBadStructure)).toEqual([]);
		await page.evaluate(() => document.querySelector('caption')?.remove());
		expect(await page.evaluate(findBadStructure)).toEqual(['a table without a caption']);
	});

	test.each([360, 768, 1280])('is never wider than a screen of %i pixels, however long the names are', async width => {
		const long = 'averylongname'.repeat(20);
		const path = await reports.make({
			...MAP,
			hostName: ihost => `${long}${ihost}`,
			stderr: long,
			failure: {...FAILURE, message: long},
			task: () => long,
			manifest: {message: long, tags: [long]},
		});
		const {page} = await reports.open(path, {viewport: {width, height: 800}});
		await untilDrawn(page);
		expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
		await takePicture(page, `report-${width}`);
	});

	test('tells of a map that still runs that it does, and draws what runs up to now', async () => {
		const open = await reports.open(await reports.make({...MAP, until: 0.5, failedShare: 0}, Date.UTC(2026, 10, 21, 0, 21, 10)));
		await untilDrawn(open.page);
		expect(await open.page.locator('.badge').textContent()).toBe('not ended yet');
		expect(await countPixels(open.page, 'running')).toBeGreaterThan(500);
		await takePicture(open.page, 'report-running');
		expectQuiet(open);
	});

	test('of a map of which nothing is known yet is whole, too', async () => {
		const open = await reports.open(await reports.make({...MAP, numChunks: 3, until: 0}));
		await untilDrawn(open.page);
		expect(await open.page.locator('section').count()).toBe(9);
		expect(await open.page.evaluate(findBadStructure)).toEqual([]);
		expectQuiet(open);
	});

	test('is printed in light colours, without what only a screen needs', async () => {
		const {page} = await reports.open(await reports.make(MAP), {colorScheme: 'dark'});
		await page.emulateMedia({media: 'print', colorScheme: 'dark'});
		await untilDrawn(page);
		expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
		expect(await page.locator('nav').isVisible()).toBe(false);
		expect(await page.locator('.toolbar').first().isVisible()).toBe(false);
		expect(await countPixels(page, 'computing')).toBeGreaterThan(500);
		await takePicture(page, 'report-print');
	});

	test('says so where there is no JavaScript', async () => {
		const {page} = await reports.open(await reports.make({...MAP, numChunks: 2}), {javaScriptEnabled: false});
		expect(await page.locator('noscript').textContent()).toContain('draws itself with JavaScript');
	});
});

test('a report of ten thousand queue-jobs is a file of few megabytes, and is there in a moment', async () => {
	const path = await reports.make({
		...MAP,
		numChunks: 10_000,
		tasksPerChunk: 2,
		numHosts: 60,
		slotsPerHost: 16,
		taskMs: 30_000,
		lostShare: 0.01,
		failedShare: 0.002,
	});
	const open = await reports.open(path);
	const {page} = open;
	await untilDrawn(page);
	const readyMs = await page.evaluate(() => performance.now());
	const drawMs = await page.evaluate(async () => {
		const canvas = document.querySelector('canvas') as HTMLCanvasElement;
		const begunMs = performance.now();
		for (let i = 0; i < 10; i++) {
			canvas.dispatchEvent(new KeyboardEvent('keydown', {key: i % 2 === 0 ? '+' : '-'}));
			await new Promise(resolve => requestAnimationFrame(resolve));
		}
		return (performance.now() - begunMs) / 10;
	});
	const megabytes = statSync(path).size / 1e6;
	console.log(
		`10,000 queue-jobs: ${megabytes.toFixed(2)} MB; drawn ${Math.round(readyMs)} ms after the navigation; ${Math.round(drawMs)} ms for a zoom`,
	);
	expect(megabytes).toBeLessThan(5);
	// What is in the document does not grow with the map.
	expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(3000);
	for (const colour of ['computing', 'failed']) expect(await countPixels(page, colour)).toBeGreaterThan(500);
	await page.locator('#jobs').getByRole('button', {name: 'Ran', exact: true}).click();
	expect(await page.locator('#jobs [role="status"]').textContent()).toMatch(/^1 to 20 of 10,\d{3}$/);
	await takePicture(page, 'report-10000');
	expectQuiet(open);
});
