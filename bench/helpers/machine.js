/** What the figures were measured on, in lines for people. */
import {cpus, loadavg, release, totalmem, type} from 'node:os';

/** @type {(engines: readonly import('./engines.js').BenchEngine[], version: string) => string[]} */
export const describeMachine = (engines, version) => [
	`${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, queue-map-reduce ${version}, Node ${process.version}`,
	`${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}, load ${loadavg()
		.map(load => load.toFixed(1))
		.join(' ')}`,
	`engines: ${engines.map(({name, version: of}) => `${name} (${of})`).join(', ')}`,
];
