/** Shows a map again and again until it ends, or until nobody wants to see it. It never touches the map. */
import {setTimeout as sleep} from 'node:timers/promises';
import {formatCounts} from '../../task-counts.js';
import {toPlainJson} from '../plain-text.js';
import {coloursFor, print, say} from '../terminal.js';
import {formatStatus, type StatusParts} from './format-status.js';
import {isComplete, isWatched, type MapView} from './look-at-map.js';
import {toStatusJson} from './status-json.js';
import {RemovedError} from './unless-removed.js';
import {formatTime} from './words.js';

export type Watch = {
	readonly workDir: string;
	readonly look: () => Promise<{readonly view: MapView; readonly parts: StatusParts}>;
	readonly json: boolean;
};

const INTERVAL_MS = 2000;

/** Ends when the map ends, when nobody works in it, or at Ctrl-C. */
export const watchMap = async ({workDir, look, json}: Watch): Promise<void> => {
	const interrupt = new AbortController();
	const onSignal = (): void => interrupt.abort();
	// Not `once`: what puts the cursor of the terminal back would find nobody listening any more, and end the process by the signal.
	process.on('SIGINT', onSignal);
	const display = await createDisplay(json);
	try {
		while (!interrupt.signal.aborted) {
			const {view, parts} = await look();
			display.show(view, parts);
			if (isComplete(view) || !isWatched(view)) return;
			await sleep(INTERVAL_MS, undefined, {signal: interrupt.signal}).catch(() => undefined);
		}
	} catch (error) {
		if (!(error instanceof RemovedError) || !display.hasShown()) throw error;
		display.end();
		say(`${workDir} has been removed: its map has ended, and every task had a result.`);
	} finally {
		display.end();
		process.off('SIGINT', onSignal);
	}
};

type Display = {
	readonly show: (view: MapView, parts: StatusParts) => void;
	readonly hasShown: () => boolean;
	readonly end: () => void;
};

/** Live on a terminal; else a line for every change. */
const createDisplay = async (json: boolean): Promise<Display> => {
	// A terminal without a size can't be drawn on.
	const live =
		json || !process.stdout.isTTY || !process.stdout.rows ? undefined : (await import('log-update')).createLogUpdate(process.stdout);
	let last = '';
	const showChange = (text: string, line: string): void => {
		if (text === last) return;
		last = text;
		print(line);
	};
	return {
		show: (view, parts) => {
			const {counts} = view.summary;
			if (live !== undefined) {
				last = 'shown';
				live(crop(formatStatus(view, parts, coloursFor(process.stdout)), process.stdout.rows));
			} else if (json) {
				const now = toStatusJson(view, parts);
				showChange(JSON.stringify({...now, rate: null, remainingMs: null, owner: null}), toPlainJson(JSON.stringify(now)));
			} else showChange(formatCounts(counts), `${formatTime(new Date(view.atMs))} UTC ${formatCounts(counts)}`);
		},
		hasShown: () => last !== '',
		end: () => live?.done(),
	};
};

/** What is most important comes first; of what does not fit on the terminal the rest is left out. */
export const crop = (text: string, rows: number): string => {
	const lines = text.split('\n');
	return lines.length < rows ? text : [...lines.slice(0, Math.max(1, rows - 2)), '…'].join('\n');
};
