/** What is in a claim: by whom the first attempt at a chunk is computed. */
import type {Home} from './layout.js';

export type Claim = {
	/** For people: the process-node goes by what it knows of the home. */
	readonly jobId?: string;
	readonly host: string;
	/** Of a chunk that the process-node has claimed, to submit a queue-job for it: the chunk itself. */
	readonly home: Home;
};

export const encodeClaim = (claim: Claim): Buffer => Buffer.from(`${JSON.stringify(claim)}\n`);

/** Undefined as long as it is not whole: who has made it may be about to fill it. */
export const parseClaim = (text: string): Claim | undefined => {
	if (!text.endsWith('\n')) return undefined;
	try {
		const claim = JSON.parse(text) as Claim | null;
		return Number.isSafeInteger(claim?.home?.ichunk) && Number.isSafeInteger(claim?.home?.attempt) ? (claim as Claim) : undefined;
	} catch {
		return undefined;
	}
};
