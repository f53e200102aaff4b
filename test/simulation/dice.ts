/** Everything that a seed decides. The same seed throws the same dice, on every machine. */

export type Dice = {
	/** From 0 up to, but not including, 1. */
	readonly next: () => number;
	/** An integer, both ends included. */
	readonly int: (min: number, max: number) => number;
	readonly chance: (probability: number) => boolean;
	readonly pick: <T>(list: readonly T[]) => T;
	readonly bytes: (length: number) => Uint8Array;
	/** Other dice, which do not depend on how often these were thrown: what one part of the world does leaves the luck of the others alone. */
	readonly fork: (label: string) => Dice;
};

export const createDice = (seed: number): Dice => {
	let state = mix(seed >>> 0);
	// mulberry32: 32 bits of state are enough for the few thousand throws of one map.
	const next = (): number => {
		state = (state + 0x6d2b79f5) >>> 0;
		let bits = Math.imul(state ^ (state >>> 15), state | 1);
		bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
		return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
	};
	const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
	return {
		next,
		int,
		chance: probability => next() < probability,
		pick: list => list[int(0, list.length - 1)] as (typeof list)[number],
		bytes: length => Uint8Array.from({length}, () => int(0, 255)),
		fork: label => createDice(hash(label, seed)),
	};
};

const mix = (seed: number): number => {
	let bits = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b);
	bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b);
	return (bits ^ (bits >>> 16)) >>> 0;
};

/** FNV-1a. */
const hash = (text: string, seed: number): number => {
	let bits = (0x811c9dc5 ^ mix(seed)) >>> 0;
	for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193) >>> 0;
	return bits;
};
