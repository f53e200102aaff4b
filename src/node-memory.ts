/** What Node says, and how it ends, when it is given too little memory; each was seen. */

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

/** Why a worker died, when the last lines of its stderr say that it was for want of memory; undefined when they say nothing of it. */
export const findMemoryWords = (stderrTail: string): string | undefined => SIGNS.find(({pattern}) => pattern.test(stderrTail))?.words();

type Sign = {readonly pattern: RegExp; readonly words: () => string};

const SIGNS: readonly Sign[] = [
	{
		// Node 20 with `ulimit -v` below its need; exit status 133.
		pattern: /Failed to reserve virtual memory for CodeRange/,
		words: () => `its limit of memory (h_vmem) is too small for Node: ${describeAddressSpace(OWN_MAJOR)}, and more for its work`,
	},
	{
		// Exit status 134. Also when h_vmem is reached: `CALL_AND_RETRY_LAST Allocation failed`.
		pattern: /JavaScript heap out of memory|Fatal (?:process|JavaScript) (?:OOM|out of memory)/i,
		words: () => 'the heap of Node was full: give more memory, or raise --max-old-space-size',
	},
	{
		// A task of its own that could not get memory, and died of it.
		pattern:
			/Array buffer allocation failed|std::bad_alloc|Cannot allocate memory|WebAssembly\.(?:Memory|Instance)\(\): (?:could not allocate|Out of memory)/,
		words: () => 'it was refused memory that it asked for',
	},
];
