/** Gets fn, or says why no task can begin here. */
import {hostname} from 'node:os';
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Manifest} from '../manifest.js';
import {toRemoteError} from '../remote-error.js';
import type {TaskFailure} from '../v8-serialize-helpers.js';
import {findCodeChange} from './check-code.js';
import {loadFunction} from './load-function.js';
import type {ImportPhase, Phases} from './phases.js';

export type Started =
	| {readonly kind: 'ready'; readonly fn: (...args: unknown[]) => unknown}
	| {readonly kind: 'failed'; readonly failure: TaskFailure};

/** @param warn - Told what the user should know, though the function is there. */
export const startFunction = async (manifest: Manifest, phases: Phases, warn: (message: string) => void): Promise<Started> => {
	// v8 writes errors and new types differently from major to major.
	if (major(process.version) !== major(manifest.node)) {
		return failed(
			`this worker-node runs Node ${process.version}, but the map was called on Node ${manifest.node}. Give \`nodePath\` a Node of the same major version.`,
		);
	}
	const change = await findCodeChange(manifest.function);
	if (change !== undefined) {
		if (manifest.worker.onCodeChange === 'fail') {
			const message = `${change}. Map again with the new version, or put the old one back; \`onCodeChange: 'warn'\` mixes them`;
			return {kind: 'failed', failure: {kind: 'code-changed', message}};
		}
		warn(`code-changed: ${change}`);
	}
	let phase: ImportPhase | undefined;
	const outcome = await new Promise<Started>(resolve => {
		const runImport = <T>(url: string, body: () => Promise<T>): Promise<T> => {
			phase = {kind: 'import', url, interrupt: failure => resolve({kind: 'failed', failure})};
			return phases.run(phase, body);
		};
		loadFunction(manifest.function, {runImport}).then(
			async fn => {
				// What the module has begun and nobody waits for, as a main() that maps, fails in this turn.
				await nextTurn();
				resolve({kind: 'ready', fn});
			},
			(thrown: unknown) => {
				const remote = toRemoteError(thrown);
				resolve({
					kind: 'failed',
					failure: {kind: 'start-failed', message: `${manifest.function.name} can't be loaded: ${remote.name}: ${remote.message}`, remote},
				});
			},
		);
	});
	phases.end();
	if (phase !== undefined) phase.interrupt = undefined;
	return outcome;
};

const failed = (message: string): Started => ({kind: 'failed', failure: {kind: 'start-failed', message: `on ${hostname()} ${message}`}});

const major = (version: string): string | undefined => /^v?(\d+)/.exec(version)?.[1];
