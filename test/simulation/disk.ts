/** The true state of the shared directory, with its history: what another host sees may be older. Files here only grow. */

export type DiskFile = {
	readonly name: string;
	/** The host whose process made it: that host sees its own writing at once. */
	readonly madeBy: string;
	/** The bytes that were written are the first of them. */
	buffer: Buffer;
	length: number;
	/** How long it was from when on. */
	readonly lengths: {fromMs: number; length: number}[];
	/** What survives a crash of the host that wrote it. */
	syncedLength: number;
	/** Who has written what is behind that. */
	readonly unsyncedBy: Set<string>;
	/** Whether its bytes are no longer what was written. */
	isDamaged: boolean;
	/** Whether a crash has taken its last bytes. */
	hasLostTail: boolean;
};

/** Under which name a file was there, and from when until when. */
type Entry = {readonly file: DiskFile; readonly fromMs: number; untilMs: number; readonly by: string};

export type Disk = {
	/** Every file that there ever was. */
	readonly all: () => readonly DiskFile[];
	/** The names that a host sees which last looked at `asOfMs`; what it did itself it sees at once. */
	readonly names: (host: string, asOfMs: number) => readonly string[];
	readonly find: (name: string, host: string, asOfMs: number) => DiskFile | undefined;
	readonly lengthAt: (file: DiskFile, host: string, asOfMs: number) => number;
	readonly create: (name: string, host: string) => DiskFile;
	/** Writes at a position: at the end, or once more what is there already. */
	readonly write: (file: DiskFile, bytes: Buffer, position: number, host: string) => void;
	readonly sync: (file: DiskFile) => void;
	readonly rename: (from: string, to: string, host: string) => void;
	readonly removeAll: () => void;
	readonly isRemoved: () => boolean;
	/** As it truly is. */
	readonly bytesOf: (file: DiskFile) => Buffer;
	/** Takes from every file that a host has written what was not synced; the dice say how much of it. */
	readonly crash: (host: string, keep: (unsynced: number) => number) => number;
};

export const systemError = (code: string, syscall: string, path: string): NodeJS.ErrnoException =>
	Object.assign(new Error(`${code}: simulated, ${syscall} '${path}'`), {code, syscall, path});

const FIRST_CAPACITY = 512;

/** @param onOffence - Told when a file that is there would be replaced or removed. */
export const createDisk = (nowMs: () => number, onOffence: (what: string) => void): Disk => {
	const entries = new Map<string, Entry[]>();
	const files: DiskFile[] = [];
	let isRemoved = false;
	let changedMs = 0;
	let currentNames: string[] | undefined;

	const current = (name: string): Entry | undefined => {
		const last = entries.get(name)?.at(-1);
		return last !== undefined && last.untilMs === Number.POSITIVE_INFINITY ? last : undefined;
	};
	const seen = (name: string, host: string, asOfMs: number): Entry | undefined =>
		entries.get(name)?.findLast(entry => (entry.by === host || entry.fromMs <= asOfMs) && asOfMs < entry.untilMs);
	const change = (): void => {
		changedMs = nowMs();
		currentNames = undefined;
	};
	const put = (name: string, file: DiskFile, by: string): void => {
		change();
		const list = entries.get(name) ?? [];
		list.push({file, fromMs: nowMs(), untilMs: Number.POSITIVE_INFINITY, by});
		entries.set(name, list);
	};

	return {
		all: () => files,
		names: (host, asOfMs) => {
			const select = (): string[] => [...entries.keys()].filter(name => seen(name, host, asOfMs) !== undefined).sort();
			if (asOfMs < changedMs) return select();
			// Nothing has changed since: all see the same, and most listings are such.
			currentNames ??= select();
			return currentNames;
		},
		find: (name, host, asOfMs) => seen(name, host, asOfMs)?.file,
		lengthAt: (file, host, asOfMs) => {
			if (file.madeBy === host || file.hasLostTail) return file.length;
			return file.lengths.findLast(({fromMs}) => fromMs <= asOfMs)?.length ?? 0;
		},
		create: (name, host) => {
			if (current(name) !== undefined) throw systemError('EEXIST', 'open', name);
			const file: DiskFile = {
				name,
				madeBy: host,
				buffer: Buffer.alloc(FIRST_CAPACITY),
				length: 0,
				lengths: [{fromMs: nowMs(), length: 0}],
				syncedLength: 0,
				unsyncedBy: new Set(),
				isDamaged: false,
				hasLostTail: false,
			};
			files.push(file);
			put(name, file, host);
			return file;
		},
		bytesOf: file => file.buffer.subarray(0, file.length),
		write: (file, bytes, position, host) => {
			file.unsyncedBy.add(host);
			const numThere = Math.min(bytes.length, file.length - position);
			if (numThere < 0) onOffence(`${file.name} gets a hole at ${file.length}`);
			const isSame = file.isDamaged || file.buffer.subarray(position, position + numThere).equals(bytes.subarray(0, numThere));
			if (!isSame) onOffence(`${file.name} is changed at ${position}`);
			if (numThere >= bytes.length) return;
			const length = position + bytes.length;
			if (length > file.buffer.length) {
				const larger = Buffer.alloc(2 * length);
				file.buffer.copy(larger, 0, 0, file.length);
				file.buffer = larger;
			}
			bytes.copy(file.buffer, file.length, numThere);
			file.length = length;
			file.lengths.push({fromMs: nowMs(), length});
		},
		sync: file => {
			file.syncedLength = file.length;
			file.unsyncedBy.clear();
		},
		rename: (from, to, host) => {
			const entry = current(from);
			if (entry === undefined) throw systemError('ENOENT', 'rename', from);
			if (current(to) !== undefined) onOffence(`${to} is replaced by ${from}`);
			entry.untilMs = nowMs();
			put(to, entry.file, host);
		},
		removeAll: () => {
			isRemoved = true;
			change();
			for (const list of entries.values()) for (const entry of list) entry.untilMs = Math.min(entry.untilMs, nowMs());
		},
		isRemoved: () => isRemoved,
		crash: (host, keep) => {
			let numLost = 0;
			for (const file of files) {
				const unsynced = file.length - file.syncedLength;
				if (unsynced === 0 || file.unsyncedBy.size !== 1 || !file.unsyncedBy.has(host)) continue;
				const length = file.syncedLength + keep(unsynced);
				if (length === file.length) continue;
				numLost++;
				file.length = length;
				file.hasLostTail = true;
				for (const past of file.lengths) past.length = Math.min(past.length, length);
			}
			return numLost;
		},
	};
};
