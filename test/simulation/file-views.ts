/** What each host sees of the shared directory: names and contents that may be old, missing for a while, or wrong for a while. */
import {type DiskFile, systemError} from './disk.js';
import type {FaultKind} from './faults.js';
import type {SimProcess} from './sim-process.js';
import type {World} from './world.js';

export type FileViews = {
	readonly list: (process: SimProcess) => readonly string[];
	/** The bytes as this host sees them now. */
	readonly read: (process: SimProcess, name: string) => Buffer;
	readonly create: (process: SimProcess, name: string) => DiskFile;
	/** Writes as much as there is room for, and says how much that is. */
	readonly write: (process: SimProcess, file: DiskFile, bytes: Buffer, position: number) => number;
	readonly rename: (process: SimProcess, from: string, to: string) => void;
	/** For appending: the file itself, whoever made it. */
	readonly open: (process: SimProcess, name: string) => DiskFile | undefined;
	/** Whether a process was shown what is not so, beyond what is old. */
	readonly wasDeceived: (process: SimProcess) => boolean;
};

type View = {asOfMs: number; untilMs: number};

/** These are read once, by who has not seen them before: then nothing old is remembered of them. */
const isReadAfresh = (name: string): boolean => !/^\d/.test(name);

const NEWLINE = 0x0a;

export const createFileViews = (world: World): FileViews => {
	const {disk, events, scenario} = world;
	const dice = world.dice.fork('files');
	const nameViews = new Map<string, View>();
	const contentViews = new Map<string, View>();
	const hidden = new Map<string, {fromMs: number; untilMs: number; host: string}>();
	const flipped = new Map<string, {untilMs: number; at: number}>();
	const deceived = new Set<string>();

	/** As of when a host sees something that it remembers for a while. */
	const asOf = (views: Map<string, View>, key: string, maxLagMs: number, isAfresh: boolean): number => {
		const nowMs = events.nowMs();
		if (maxLagMs === 0) return nowMs;
		const view = views.get(key);
		if (view !== undefined && nowMs < view.untilMs) return view.asOfMs;
		// What nobody has looked at may be old, too: the server itself may be slow to know.
		const lagMs = world.isCalm() || (view === undefined && isAfresh) ? 0 : dice.int(0, maxLagMs);
		const asOfMs = Math.max(view?.asOfMs ?? 0, nowMs - Math.floor(lagMs / 2));
		views.set(key, {asOfMs, untilMs: asOfMs + lagMs});
		return asOfMs;
	};

	const isHidden = (name: string, process: SimProcess): boolean => {
		const hiding = hidden.get(name);
		if (hiding === undefined || hiding.host !== process.host || events.nowMs() < hiding.fromMs || events.nowMs() >= hiding.untilMs)
			return false;
		world.fault('file-vanished', `${name} on ${process.host}`);
		deceived.add(process.name);
		return true;
	};

	const checkWeather = (process: SimProcess, syscall: string, name: string): void => {
		const nowMs = events.nowMs();
		const isBad = scenario.ioErrors.some(({fromMs, untilMs, host}) => fromMs <= nowMs && nowMs < untilMs && host === process.host);
		if (!isBad || world.isCalm()) return;
		world.fault('io-error', `${syscall} ${name} on ${process.host}`);
		deceived.add(process.name);
		throw systemError('EIO', syscall, name);
	};

	const checkThere = (syscall: string, name: string): void => {
		if (disk.isRemoved()) throw systemError('ENOENT', syscall, name);
	};

	/** How much of what is written gets to the disk, when it is full. */
	const room = (bytes: Buffer): number => {
		const nowMs = events.nowMs();
		const isFull = !world.isCalm() && scenario.diskFull.some(({fromMs, untilMs}) => fromMs <= nowMs && nowMs < untilMs);
		if (!isFull) return bytes.length;
		world.fault('disk-full');
		const length = dice.chance(0.5) ? 0 : dice.int(0, bytes.length - 1);
		if (length > 0) world.fault('write-torn', 'the disk is full');
		return length;
	};

	return {
		wasDeceived: process => deceived.has(process.name),
		list: process => {
			checkThere('scandir', 'the work_dir');
			checkWeather(process, 'scandir', 'the work_dir');
			const asOfMs = asOf(nameViews, process.host, scenario.maxNamesLagMs, true);
			const all = disk.names(process.host, asOfMs);
			const names = hidden.size === 0 ? all : all.filter(name => !isHidden(name, process));
			if (asOfMs < events.nowMs() && names.length !== disk.names(process.host, events.nowMs()).length) world.fault('names-stale');
			return names;
		},
		read: (process, name) => {
			checkThere('open', name);
			checkWeather(process, 'open', name);
			const asOfMs = asOf(nameViews, process.host, scenario.maxNamesLagMs, true);
			// A name that is newer than what is remembered is asked for; one that is known to be missing is not.
			const file =
				disk.find(name, process.host, asOfMs) ?? (isReadAfresh(name) ? disk.find(name, process.host, events.nowMs()) : undefined);
			if (file === undefined || isHidden(name, process)) throw systemError('ENOENT', 'open', name);
			const key = `${process.host} ${file.name}`;
			const contentMs = asOf(contentViews, key, scenario.maxContentLagMs, isReadAfresh(name));
			const length = disk.lengthAt(file, process.host, contentMs);
			if (length < file.length) world.fault('contents-stale', `${name} on ${process.host}`);
			// What another host sees has left the one that wrote it.
			if (file.madeBy !== process.host) file.syncedLength = Math.max(file.syncedLength, length);
			const bytes = Buffer.from(file.buffer.subarray(0, length));
			if (name.endsWith('.claim') && bytes.at(-1) !== NEWLINE) world.fault('claim-unreadable', name);
			return flipFor(process, file, key, bytes);
		},
		create: (process, name) => {
			checkThere('open', name);
			checkWeather(process, 'open', name);
			if (room(Buffer.alloc(1)) === 0) throw systemError('ENOSPC', 'open', name);
			const file = createOnDisk(process, name);
			if (name.endsWith('.part') && world.strikes('part-damaged', dice)) {
				events.at(events.nowMs() + dice.int(10, dice.pick([1000, 100_000])), () => {
					if (!world.isCalm() && file.length > 0 && disk.find(name, '', events.nowMs()) === file) damage(file, 'part-damaged');
				});
			}
			if (/^\d.*\.(part|out)$/.test(name) && world.strikes('file-vanished', dice)) hide(name);
			return file;
		},
		write: (process, file, bytes, position) => {
			checkThere('write', file.name);
			checkWeather(process, 'write', file.name);
			const length = process.isDying() ? dice.int(0, bytes.length) : room(bytes);
			if (length === 0 && bytes.length > 0 && !process.isDying()) throw systemError('ENOSPC', 'write', file.name);
			disk.write(file, bytes.subarray(0, length), position, process.host);
			// Who writes sees the file as it is then.
			contentViews.set(`${process.host} ${file.name}`, {asOfMs: events.nowMs(), untilMs: events.nowMs()});
			if (process.isDying() && length > 0 && length < bytes.length) world.fault('write-torn', 'its process was killed');
			return length;
		},
		rename: (process, from, to) => {
			checkThere('rename', from);
			checkWeather(process, 'rename', from);
			disk.rename(from, to, process.host);
			if (to.endsWith('.out') && world.strikes('file-vanished', dice)) hide(to);
			const file = disk.find(to, process.host, events.nowMs()) as DiskFile;
			if (to.endsWith('.out') && world.strikes('result-damaged', dice)) damage(file, 'result-damaged');
		},
		open: (process, name) => {
			checkThere('open', name);
			checkWeather(process, 'open', name);
			return disk.find(name, process.host, events.nowMs());
		},
	};

	function createOnDisk({host}: SimProcess, name: string): DiskFile {
		try {
			return disk.create(name, host);
		} catch (error) {
			if (name.endsWith('.claim')) world.fault('claim-taken', name);
			throw error;
		}
	}

	function hide(name: string): void {
		const fromMs = events.nowMs() + dice.int(0, scenario.maxHiddenMs);
		hidden.set(name, {fromMs, untilMs: fromMs + dice.int(1000, scenario.maxHiddenMs), host: dice.pick(scenario.allHosts)});
	}

	function damage(file: DiskFile, kind: FaultKind): void {
		world.fault(kind, file.name);
		file.isDamaged = true;
		const at = dice.int(0, file.length - 1);
		file.buffer[at] = (file.buffer[at] as number) ^ (1 << dice.int(0, 7));
	}

	function flipFor(process: SimProcess, {name, isDamaged}: DiskFile, key: string, bytes: Buffer): Buffer {
		const nowMs = events.nowMs();
		let flip = flipped.get(key);
		if (flip === undefined && /\.(part|out)$/.test(name) && world.strikes('read-flipped', dice)) {
			flip = {untilMs: nowMs + dice.int(0, scenario.maxHiddenMs), at: dice.int(0, 1_000_000)};
			flipped.set(key, flip);
		}
		if (flip === undefined || nowMs >= flip.untilMs || bytes.length === 0 || world.isCalm()) return bytes;
		// It may be the very bit, and what nobody could read any more would be read well.
		if (isDamaged) return bytes;
		world.fault('read-flipped', `${name} on ${process.host}`);
		deceived.add(process.name);
		const at = flip.at % bytes.length;
		bytes[at] = (bytes[at] as number) ^ 0x10;
		return bytes;
	}
};
