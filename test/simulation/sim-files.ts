/** The file ports of the library and of the worker, over what a host sees of the shared directory. */
import {basename} from 'node:path';
import type {ClosableSource, Files} from '../../src/ports.js';
import type {WorkerFiles} from '../../src/worker/worker-files.js';
import {type Disk, systemError} from './disk.js';
import type {FileViews} from './file-views.js';
import type {SimProcess} from './sim-process.js';
import {WORK_DIR, type World} from './world.js';

export const createSimFiles = (world: World, views: FileViews, process: SimProcess): Files => {
	const dice = world.dice.fork(`files of ${process.name}`);
	const {disk} = world;
	const call = <T>(effect: () => T): Promise<T> => process.call(dice.int(1, 20), effect);
	return {
		list: () => call(() => views.list(process)),
		openSource: path => call(() => createSource(views.read(process, basename(path)))),
		create: async (path, pieces) => {
			const buffers: Buffer[] = [];
			for await (const piece of pieces) buffers.push(...piece);
			await call(() => {
				const file = views.create(process, basename(path));
				writeAll(views, process, file, Buffer.concat(buffers), 0);
				disk.sync(file);
			});
		},
		append: (path, text, {durable}) =>
			call(() => {
				const name = basename(path);
				const file = views.open(process, name) ?? views.create(process, name);
				writeAll(views, process, file, Buffer.from(text), file.length);
				if (durable) disk.sync(file);
			}),
		rename: (from, to) => call(() => views.rename(process, basename(from), basename(to))),
		removeTree: path =>
			call(() => {
				if (path !== WORK_DIR) throw new Error(`Expected only the work_dir to be removed, got ${path}`);
				disk.removeAll();
			}),
		removeIfEmpty: async () => undefined,
	};
};

export const createSimWorkerFiles = (world: World, views: FileViews, process: SimProcess): WorkerFiles => {
	const dice = world.dice.fork(`files of ${process.name}`);
	const call = <T>(effect: () => T): Promise<T> => process.call(dice.int(1, 10), effect);
	return {
		list: () => call(() => views.list(process)),
		openSource: path => call(() => createSource(views.read(process, basename(path)))),
		create: path =>
			call(() => {
				const file = views.create(process, basename(path));
				return {
					write: (bytes, position) => call(() => views.write(process, file, bytes, position)),
					sync: () => call(() => world.disk.sync(file)),
					close: async () => undefined,
				};
			}),
		rename: (from, to) => call(() => views.rename(process, basename(from), basename(to))),
	};
};

const createSource = (bytes: Buffer): ClosableSource => ({
	size: bytes.length,
	read: async (position, length) => Buffer.from(bytes.subarray(position, position + length)),
	close: async () => undefined,
});

const writeAll = (views: FileViews, process: SimProcess, file: ReturnType<Disk['create']>, bytes: Buffer, position: number): void => {
	const length = views.write(process, file, bytes, position);
	if (length < bytes.length && process.isAlive() && !process.isDying()) throw systemError('ENOSPC', 'write', file.name);
};
