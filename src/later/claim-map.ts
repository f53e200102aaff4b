/** Makes this process the owner of a map: of tasks that are computed again also of the map that they are from. */
import type {FoundMap} from '../find-map.js';
import {claimWorkDir, type Owner, type Processes, withOwner} from '../owner.js';
import type {Ports} from '../ports.js';

/** @throws PoolError `ERR_POOL_OWNED` when another process works there; the reason of the signal. */
export const claimMap = async (
	{manifest, workDir}: FoundMap,
	ports: Pick<Ports, 'files' | 'clock' | 'random' | 'tell'>,
	processes: Processes,
	signal: AbortSignal,
): Promise<Owner> => {
	const whole = wholeOf(manifest);
	if (whole === undefined) return claimWorkDir(workDir, ports, processes, signal);
	const first = await claimWorkDir(whole, ports, processes, signal);
	try {
		return withOwner(await claimWorkDir(workDir, ports, processes, signal), first);
	} catch (error) {
		await first.release().catch(() => undefined);
		throw error;
	}
};

/** The work_dir that a rerun of some tasks is a part of; undefined for any other map. */
export const wholeOf = ({itasks, rerunOf}: Pick<FoundMap['manifest'], 'itasks' | 'rerunOf'>): string | undefined =>
	itasks === undefined ? undefined : rerunOf?.workDir;
