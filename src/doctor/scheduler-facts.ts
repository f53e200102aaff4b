/** What `qmr doctor` asks of the scheduler, through its engine. */
import type {ChosenEngine} from '../choose-engine.js';
import type {SiteFacts} from '../engines/engine.js';

export type SchedulerFacts = {
	readonly engine: string;
	readonly why: string | undefined;
	/** Whether queue-jobs go elsewhere. */
	readonly hasQueue: boolean;
	readonly answer:
		| {readonly kind: 'answered'; readonly elapsedMs: number; readonly numJobs: number}
		| {readonly kind: 'silent'; readonly reason: string};
	/** Undefined when there is nobody to ask, or when there was no answer. */
	readonly site: SiteFacts | undefined;
	/** How many elements an array may have; undefined without arrays. */
	readonly maxElements: number | undefined;
	readonly maxDefaultChunks: number;
};

export const askScheduler = async ({engine, why, askSite}: ChosenEngine): Promise<SchedulerFacts> => {
	const answer = await askQueue(engine);
	// Who does not answer that does not answer more.
	const isSilent = answer.kind === 'silent';
	return {
		engine: engine.name,
		why,
		hasQueue: engine.outlivesProcess,
		answer,
		site: isSilent ? undefined : await askSite?.(),
		maxElements: isSilent ? undefined : await engine.arrays?.maxElements(),
		maxDefaultChunks: engine.maxDefaultChunks,
	};
};

const askQueue = async (engine: ChosenEngine['engine']): Promise<SchedulerFacts['answer']> => {
	const sinceMs = performance.now();
	try {
		const jobs = await engine.status();
		return {kind: 'answered', elapsedMs: performance.now() - sinceMs, numJobs: jobs.length};
	} catch (error) {
		return {kind: 'silent', reason: (error as Error).message};
	}
};
