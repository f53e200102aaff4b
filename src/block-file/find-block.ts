/** The block that holds the entry with this index in the file: blocks follow each other without a gap. Undefined when there are none. */
export const findBlock = <Piece extends {readonly first: number}>(blocks: readonly Piece[], index: number): Piece | undefined => {
	let low = 0;
	let high = blocks.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((blocks[middle] as Piece).first <= index) low = middle + 1;
		else high = middle;
	}
	return blocks[low - 1];
};
