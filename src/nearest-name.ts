/** Which of the known names a wrong one was probably meant to be. */

/** Undefined when it is like none of them. */
export const nearestName = (name: string, knownNames: readonly string[]): string | undefined => {
	const ranked = knownNames
		.map(known => ({known, distance: editDistance(name.toLowerCase(), known.toLowerCase())}))
		.sort((a, b) => a.distance - b.distance);
	const best = ranked[0];
	// Of a short name nearly every letter would have to be another one.
	return best !== undefined && best.distance <= Math.min(3, best.known.length / 2) ? best.known : undefined;
};

/** The least number of characters to insert, delete or replace (Levenshtein). */
const editDistance = (a: string, b: string): number => {
	let row = Array.from({length: b.length + 1}, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
		}
		row = next;
	}
	return row[b.length] as number;
};
