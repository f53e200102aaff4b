/** How much address space Node needs. */

/**
 * MiB of address space that `node` needs just to start, by its major version: V8 reserves a stretch of it for code before it runs anything.
 * Grid Engine's `h_vmem` limits the address space.
 */
export const ADDRESS_SPACE_MIB: Readonly<Record<number, number>> = {20: 724, 22: 763, 24: 1153};

/** As `Node 20 needs 724 MB of address space just to start`. */
export const describeAddressSpace = (major: number): string => {
	const needed = ADDRESS_SPACE_MIB[major];
	if (needed !== undefined) return `Node ${major} needs ${needed} MB of address space just to start`;
	const all = Object.entries(ADDRESS_SPACE_MIB).map(([known, mebibytes]) => `Node ${known} needs ${mebibytes} MB`);
	return `to start in, a program has to have some address space: ${all.join(', ')}`;
};

/** The major version of this process, which the workers must have, too. */
export const OWN_MAJOR: number = Number.parseInt(process.versions.node, 10);
