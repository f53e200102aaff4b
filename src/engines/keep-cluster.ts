/** Which cluster the programs of a scheduler speak to is said by the environment. An engine keeps to the one that was named when it was made. */

export type KeptCluster = {
	/** That of this process now, but for what names a cluster. */
	readonly environment: () => NodeJS.ProcessEnv;
	/** Whoever keeps to the same cluster has the same. */
	readonly key: string;
};

/** A queue-job that is looked for on another cluster is not there: it would count as lost, and be submitted a second time. */
export const keepCluster = (): KeptCluster => {
	const kept = pick(name => NAMES.has(name));
	// Not all of it: tickets and tokens (KRB5CCNAME, SLURM_JWT) may be replaced while a map runs.
	return {environment: () => ({...pick(name => !NAMES.has(name)), ...kept}), key: JSON.stringify(Object.entries(kept).sort())};
};

/** By these the programs of Grid Engine and of Slurm find their cluster. */
const NAMES: ReadonlySet<string> = new Set([
	...['SGE_ROOT', 'SGE_CELL', 'SGE_QMASTER_PORT', 'SGE_CLUSTER_NAME'],
	...['SLURM_CONF', 'SLURM_CONF_SERVER', 'SLURM_CLUSTERS', 'SBATCH_CLUSTERS'],
]);

const pick = (isWanted: (name: string) => boolean): NodeJS.ProcessEnv =>
	Object.fromEntries(Object.entries(process.env).filter(([name]) => isWanted(name)));
