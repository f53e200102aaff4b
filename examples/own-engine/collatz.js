/**
 * Of all chains that halve even numbers and take odd ones times three plus one, until they come to 1: the longest that begins in a range.
 *
 * @param {{from: number, to: number}} range `to` is not in it.
 */
export const findLongestChain = ({from, to}) => {
	let longest = {start: from, steps: 0};
	for (let start = from; start < to; start++) {
		let steps = 0;
		for (let n = start; n !== 1; n = n % 2 === 0 ? n / 2 : 3 * n + 1) steps++;
		if (steps > longest.steps) longest = {start, steps};
	}
	return longest;
};
