/** How much address space Node needs. */

/**
 * MiB of address space that `node` needs just to start, by its major version: V8 reserves a stretch of it for code before it runs anything.
 * Grid Engine's `h_vmem` limits the address space.
 */
export const ADDRESS_SPACE_MIB: Readonly<Record<number, number>> = {20: 724, 22: 763, 24: 1153};

/** MiB of address space that is gone before the heap gets any: what Node needs to start, and what its threads and fragments take while a heap fills. */
export const addressSpaceBeforeHeap = (major: number): number =>
	(ADDRESS_SPACE_MIB[major] ?? Math.max(...Object.values(ADDRESS_SPACE_MIB))) + THREADS_AND_FRAGMENTS_MIB;

/** Measured by filling heaps under `ulimit -v` until they end: with this left free, Node always ended in good order, with words of its heap. */
const THREADS_AND_FRAGMENTS_MIB = 256;

/** As `Node 20 needs 724 MB of address space just to start`. */
export const describeAddressSpace = (major: number): string => {
	const needed = ADDRESS_SPACE_MIB[major];
	if (needed !== undefined) return `Node ${major} needs ${needed} MB of address space just to start`;
	const all = Object.entries(ADDRESS_SPACE_MIB).map(([known, mebibytes]) => `Node ${known} needs ${mebibytes} MB`);
	return `to start in, a program has to have some address space: ${all.join(', ')}`;
};

/** The major version of this process, which the workers must have, too. */
export const OWN_MAJOR: number = Number.parseInt(process.versions.node, 10);
