/** Opens reports of made-up maps in a real browser, cut off from every network, and notes all that a page should not do. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {type Browser, type BrowserContextOptions, chromium, type Page} from 'playwright-core';
import {afterAll, beforeAll, expect, onTestFinished} from 'vitest';
import {openWorkDir} from '../../dist/src/read/open-work-dir.js';
import {makeReport} from '../../dist/src/report/make-report.js';
import {BEGAN_AT_MS, type MadeMap, writeMadeWorkDir} from '../helpers/made-work-dir.js';

export type OpenPage = {
	readonly page: Page;
	/** What it said, threw, or asked for beside itself. */
	readonly offences: string[];
};

export type Reports = {
	/** @returns The path of the report's file. */
	readonly make: (map: MadeMap, lookedAtMs?: number) => Promise<string>;
	readonly open: (path: string, options?: BrowserContextOptions) => Promise<OpenPage>;
};

/** Its own half a minute is soon over beside two suites of real engines. */
const PATIENCE_MS = 150_000;

/** For the tests of one file. */
export const useReports = (): Reports => {
	let browser: Browser;
	let directory: string;
	let numReports = 0;
	beforeAll(async () => {
		directory = mkdtempSync(join(tmpdir(), 'qmr-report-'));
		browser = await chromium.launch({
			executablePath: process.env.QMR_CHROMIUM ?? '/usr/bin/chromium',
			timeout: PATIENCE_MS,
			// Its sandbox does not work for root.
			args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
		});
	});
	afterAll(async () => {
		await browser?.close();
		rmSync(directory, {recursive: true, force: true});
	});
	return {
		make: async (map, lookedAtMs = BEGAN_AT_MS + 3_600_000) => {
			const workDir = join(directory, `map-${++numReports}`);
			writeMadeWorkDir(workDir, map);
			const {html} = await makeReport(await openWorkDir(workDir), lookedAtMs);
			const path = `${workDir}.html`;
			writeFileSync(path, html);
			return path;
		},
		open: async (path, options = {}) => {
			const context = await browser.newContext({viewport: {width: 1280, height: 900}, offline: true, ...options});
			onTestFinished(() => context.close());
			context.setDefaultTimeout(PATIENCE_MS);
			const page = await context.newPage();
			const url = pathToFileURL(path).href;
			const offences: string[] = [];
			page.on('console', message => offences.push(`says ${message.text()}`));
			page.on('pageerror', error => offences.push(`throws ${error.message}`));
			page.on('request', request => {
				if (request.url() !== url && !request.url().startsWith('data:')) offences.push(`asks for ${request.url()}`);
			});
			await page.goto(url);
			return {page, offences};
		},
	};
};

/** The canvas is drawn with the next frames. */
export const untilDrawn = async (page: Page): Promise<void> => {
	await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
};

/** For people who want to look: with QMR_SCREENSHOTS pictures are put there. */
export const takePicture = async (page: Page, name: string): Promise<void> => {
	const directory = process.env.QMR_SCREENSHOTS;
	if (directory === undefined) return;
	mkdirSync(directory, {recursive: true});
	await page.screenshot({path: join(directory, `${name}.png`), fullPage: true});
};

/** How many pixels of the timeline have about the colour of this custom property. */
export const countPixels = (page: Page, property: string): Promise<number> =>
	page.evaluate(name => {
		const canvas = document.querySelector('canvas') as HTMLCanvasElement;
		const copyOf = (width: number, height: number): CanvasRenderingContext2D => {
			const copy = Object.assign(document.createElement('canvas'), {width, height});
			return copy.getContext('2d', {willReadFrequently: true}) as CanvasRenderingContext2D;
		};
		const probe = copyOf(1, 1);
		const context = copyOf(canvas.width, canvas.height);
		context.drawImage(canvas, 0, 0);
		probe.fillStyle = getComputedStyle(canvas).getPropertyValue(`--${name}`).trim();
		probe.fillRect(0, 0, 1, 1);
		const [red = 0, green = 0, blue = 0] = probe.getImageData(0, 0, 1, 1).data;
		const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
		let count = 0;
		for (let i = 0; i < data.length; i += 4) {
			if (Math.abs((data[i] ?? 0) - red) + Math.abs((data[i + 1] ?? 0) - green) + Math.abs((data[i + 2] ?? 0) - blue) < 12) count++;
		}
		return count;
	}, property);

/** A picture of the timeline, to see whether it has changed. */
export const pictureOf = (page: Page): Promise<string> =>
	page.evaluate(() => (document.querySelector('canvas') as HTMLCanvasElement).toDataURL());

export const expectQuiet = ({offences}: OpenPage): void => expect(offences).toEqual([]);
