/** Hands values from one that makes them to one that takes them, who may be slower. */
export type Channel<T> = {
	/** Resolves when there is room for the next one, or nobody waits for it any more. */
	readonly put: (value: T, weight: number) => Promise<void>;
	/** No further values will come. */
	readonly end: () => void;
	/** For one taker, or one after the other. */
	readonly values: () => AsyncGenerator<T>;
};

/** @param capacity - Of what was put in and not taken yet, in weight. */
export const createChannel = <T>(capacity: number): Channel<T> => {
	const waiting: T[] = [];
	/** The next one last. A taker that stops early leaves them to the one after it: none is lost. */
	let taken: T[] = [];
	let weightWaiting = 0;
	let isEnded = false;
	let wakeTaker: () => void = () => undefined;
	let wakeMaker: () => void = () => undefined;
	return {
		put: async (value, weight) => {
			waiting.push(value);
			weightWaiting += weight;
			wakeTaker();
			if (weightWaiting >= capacity && !isEnded) await new Promise<void>(resolve => (wakeMaker = resolve));
		},
		end: () => {
			isEnded = true;
			wakeTaker();
			wakeMaker();
		},
		values: async function* () {
			for (;;) {
				while (taken.length > 0) yield taken.pop() as T;
				taken = waiting.splice(0).reverse();
				weightWaiting = 0;
				wakeMaker();
				if (taken.length > 0) continue;
				if (isEnded) return;
				await new Promise<void>(resolve => (wakeTaker = resolve));
			}
		},
	};
};
