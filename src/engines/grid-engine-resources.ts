/** What a queue-job asks for, in the words of qsub. Pure. */
import {PoolError} from '../errors.js';
import {ADDRESS_SPACE_MIB, describeAddressSpace, OWN_MAJOR} from '../node-memory.js';
import type {JobRequest, JobResources} from './engine.js';

/** Resources as this site counts them, see grid-engine-site.ts. */
export type PlacedResources = JobResources & {
	/** What is counted once for a queue-job (`consumable JOB` in `qconf -sc`); all else Grid Engine multiplies by its slots. */
	readonly countedOnce?: ReadonlySet<string>;
};

/** A request whose resources are complete. */
export type PlacedRequest<Request extends JobRequest = JobRequest> = Omit<Request, 'resources'> & {readonly resources: PlacedResources};

/**
 * The arguments for qsub. `h_vmem` limits the address space; of several slots each has its part of it, rounded up.
 *
 * @param queueName - For queue-jobs whose resources name no queue.
 */
export const resourceArguments = (queueName: string | undefined, resources: PlacedResources): string[] => {
	const {memoryBytes, timeSeconds, slots = 1, gpus, queue = queueName, project, parallelEnvironment} = resources;
	const ofEachSlot = (complex: string, total: number): number => Math.ceil(total / (isCountedOnce(complex, resources) ? 1 : slots));
	return [
		...(queue === undefined ? [] : ['-q', queue]),
		...(project === undefined ? [] : ['-P', project]),
		...(parallelEnvironment === undefined ? [] : ['-pe', parallelEnvironment, String(slots)]),
		...(memoryBytes === undefined ? [] : ['-l', `h_vmem=${ofEachSlot('h_vmem', memoryBytes)}`]),
		...(timeSeconds === undefined ? [] : ['-l', `h_rt=${timeSeconds}`]),
		...(gpus === undefined ? [] : ['-l', `gpu=${ofEachSlot('gpu', gpus)}`]),
	];
};

const isCountedOnce = (complex: string, {countedOnce}: PlacedResources): boolean => countedOnce?.has(complex) ?? false;

/** @throws PoolError `ERR_POOL_OPTION` for what would be submitted, but could never do what was asked for. */
export const checkPlaced = (resources: PlacedResources): void => {
	const {memoryBytes, slots = 1, gpus} = resources;
	const neededMib = ADDRESS_SPACE_MIB[OWN_MAJOR];
	if (memoryBytes !== undefined && neededMib !== undefined && memoryBytes < neededMib * MEBIBYTE) {
		throw new PoolError(
			'ERR_POOL_OPTION',
			`Expected \`memory\` in \`resources\` to be enough for Node, got ${Math.floor(memoryBytes / MEBIBYTE)} MB: Grid Engine limits the address space by it (h_vmem), and ${describeAddressSpace(OWN_MAJOR)}. Ask for ${RECOMMENDED}, of which most is never used.`,
		);
	}
	if (gpus !== undefined && gpus % slots !== 0 && !isCountedOnce('gpu', resources)) {
		throw new PoolError(
			'ERR_POOL_OPTION',
			`Expected \`gpus\` in \`resources\` to be a multiple of \`slots\`, got ${gpus} for ${slots} slots: this Grid Engine gives GPUs to each slot. Ask for fewer slots, or for what your site offers by \`qsubArgs\`.`,
		);
	}
};

const MEBIBYTE = 2 ** 20;

const RECOMMENDED = '2G or more';
