/** Results in order, while the next few are already under way: on a network file system nearly all of the time is waiting. */

/** @param ahead - How many are under way at a time. */
export const readAhead = async function* <Item, Result>(
	items: readonly Item[],
	ahead: number,
	read: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
	const underWay: Promise<Result>[] = [];
	let numBegun = 0;
	while (numBegun < items.length || underWay.length > 0) {
		while (numBegun < items.length && underWay.length < ahead) {
			const result = read(items[numBegun++] as Item);
			// It is told when its turn comes, if anybody still wants it.
			result.catch(() => undefined);
			underWay.push(result);
		}
		yield await (underWay.shift() as Promise<Result>);
	}
};
