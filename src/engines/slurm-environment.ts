/** The environment in which Slurm's programs are called. */
import {PoolError} from '../errors.js';

/**
 * What Slurm's programs need to know of the environment. All others are left out: SQUEUE_STATES would hide queue-jobs, SCANCEL_INTERACTIVE would ask questions,
 * SBATCH_WAIT would wait, and what sbatch is given it hands on to the queue-job.
 */
export const slurmEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
	const {SBATCH_CLUSTERS, ...needed} = Object.fromEntries(Object.entries(environment).filter(([name]) => NEEDED.test(name)));
	// Only sbatch knows this one. Its queue-jobs would be looked for on the cluster of this host, where their numbers are those of others.
	return SBATCH_CLUSTERS === undefined ? needed : {SLURM_CLUSTERS: SBATCH_CLUSTERS, ...needed};
};

/**
 * Of several clusters sbatch would choose one, squeue would mix the numbers of all, and scancel would remove what has a number on any of them.
 *
 * @throws PoolError `ERR_POOL_OPTION` when several are named.
 */
export const requireOneCluster = (environment: NodeJS.ProcessEnv): void => {
	const {SLURM_CLUSTERS: named} = slurmEnvironment(environment);
	if (named === undefined || !SEVERAL.test(named)) return;
	const name = environment.SLURM_CLUSTERS === undefined ? 'SBATCH_CLUSTERS' : 'SLURM_CLUSTERS';
	throw new PoolError(
		'ERR_POOL_OPTION',
		`Expected the environment variable ${name} to name one cluster of Slurm, got ${JSON.stringify(named)}. Set it to the one that is to compute, or unset it for the cluster of this host.`,
	);
};

const SEVERAL = /,|^\s*all\s*$/i;

/** Of the variables of sbatch all but those that would make something else of a submission: an array, a call that waits, tries only, or talks. */
const NEEDED =
	/^(?:PATH|HOME|USER|LOGNAME|SHELL|TZ|LD_LIBRARY_PATH|KRB5CCNAME|SLURM_(?:CONF|CONF_SERVER|CLUSTERS|JWT)|SBATCH_(?!ARRAY_INX$|WAIT$|DEBUG$|TEST_ONLY$|GET_USER_ENV$)\w+)$/;
