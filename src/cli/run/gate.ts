/** Where all wait for the last one. */
export type Gate = {
	/** One more to wait for. @returns To be called when he is there; again it does nothing. */
	readonly expect: () => () => void;
	/** Resolves when all are there. */
	readonly opened: Promise<void>;
	/** Nobody is waited for any more. */
	readonly open: () => void;
};

export const createGate = (): Gate => {
	let numMissing = 0;
	let open: () => void = () => undefined;
	const opened = new Promise<void>(resolve => {
		open = resolve;
	});
	return {
		expect: () => {
			numMissing++;
			let isThere = false;
			return () => {
				if (isThere) return;
				isThere = true;
				if (--numMissing === 0) open();
			};
		},
		opened,
		open,
	};
};
