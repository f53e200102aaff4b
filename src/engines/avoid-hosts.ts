/** Keeps a queue-job away from hosts, unless no other host would ever take it. */
import type {JobRequest, SubmitOutcome} from './engine.js';

/** @param call - Submits a queue-job; `isAvoiding` says whether away from its `avoidHosts`. */
export const createAvoidance = <Request extends JobRequest>(
	call: (request: Request, isAvoiding: boolean) => Promise<SubmitOutcome>,
): ((request: Request) => Promise<SubmitOutcome>) => {
	const refusals = createRefusals();
	return async request => {
		if (request.avoidHosts.length === 0 || refusals.areKnown(request)) return call(request, false);
		const avoiding = await call(request, true);
		if (avoiding.kind !== 'permanent') return avoiding;
		// No other host would ever take it: then rather one where it has failed than none.
		const outcome = await call(request, false);
		if (outcome.kind === 'submitted') refusals.note(request);
		return outcome;
	};
};

/** Nodes come and go: after so long it is tried again whether another host would take what none but the avoided ones took. */
const REFUSAL_MS = 600_000;

/** Which requests no host takes but those that they avoid: each would cost a second call else. */
const createRefusals = () => {
	const sinceMs = new Map<string, number>();
	const keyOf = ({avoidHosts, resources}: JobRequest): string => JSON.stringify([[...avoidHosts].sort(), resources]);
	return {
		areKnown: (request: JobRequest): boolean => performance.now() - (sinceMs.get(keyOf(request)) ?? Number.NEGATIVE_INFINITY) < REFUSAL_MS,
		note: (request: JobRequest): void => void sinceMs.set(keyOf(request), performance.now()),
	};
};
