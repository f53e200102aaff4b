/** File systems by the numbers that Linux gives them (statfs(2)): which of them other machines can see. */

export type FileSystem = {
	readonly name: string;
	/** `memory`, `disk`: of this machine alone, unless it serves them to others. `shared`: made to be seen from many. */
	readonly kind: 'memory' | 'disk' | 'shared' | 'unknown';
};

export const describeFileSystem = (type: number): FileSystem =>
	FILE_SYSTEMS.get(type >>> 0) ?? {name: `a file system of the type 0x${(type >>> 0).toString(16)}`, kind: 'unknown'};

const FILE_SYSTEMS: ReadonlyMap<number, FileSystem> = new Map(
	(
		[
			[0x01021994, 'tmpfs', 'memory'],
			[0x858458f6, 'ramfs', 'memory'],
			[0xef53, 'ext4', 'disk'],
			[0x58465342, 'xfs', 'disk'],
			[0x9123683e, 'btrfs', 'disk'],
			[0x2fc12fc1, 'zfs', 'disk'],
			[0x794c7630, 'overlayfs', 'disk'],
			[0x6969, 'nfs', 'shared'],
			[0xff534d42, 'cifs', 'shared'],
			[0xfe534d42, 'smb2', 'shared'],
			[0x0bd00bd0, 'lustre', 'shared'],
			[0x47504653, 'gpfs', 'shared'],
			[0x00c36400, 'ceph', 'shared'],
			[0x19830326, 'beegfs', 'shared'],
			[0xaad7aaea, 'panfs', 'shared'],
			[0x5346414f, 'afs', 'shared'],
			[0x20030528, 'orangefs', 'shared'],
			[0x01161970, 'gfs2', 'shared'],
			// sshfs and glusterfs, but also disks of a laptop: nothing follows from it.
			[0x65735546, 'fuse', 'unknown'],
		] as const
	).map(([type, name, kind]) => [type, {name, kind}]),
);
