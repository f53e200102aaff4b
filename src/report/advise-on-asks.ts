/** Advice on what queue-jobs asked for: memory, time and slots against what they used. Pure. */
import type {Advice} from './advise.js';
import {bytesInWords, msInWords} from './in-words.js';
import type {AskFacts, ReportData} from './report-data.js';

export const adviseOnAsks = (data: ReportData): Advice[] => {
	const {asks} = data;
	// Queue-jobs that ran out of something were given more: advice on each would be the same again.
	const most = asks.toSorted((a, b) => b.numJobs - a.numJobs)[0];
	return most === undefined ? [] : ADVISERS.flatMap(adviser => adviser(most, data));
};

type AskAdviser = (ask: AskFacts, data: ReportData) => Advice[];

/** Asked for so many times what was used: others could have had it. */
const FAR_TOO_MUCH = 5;
/** More than this part of what was asked for is too near to the limit. */
const NEAR_LIMIT = 0.85;
/** As the option `memory` takes it. */
const toOption = (bytes: number): string => (bytes % GIBIBYTE === 0 ? `${bytes / GIBIBYTE}G` : `${bytes / MEBIBYTE}M`);

const MEBIBYTE = 2 ** 20;

/** On top of the most that was seen. */
const RESERVE = 1.5;

const GIBIBYTE = 2 ** 30;
/** Below it nobody would miss it. */
const SMALL_BYTES = GIBIBYTE;

const tooMuchMemory: AskAdviser = ({memoryBytes, maxMemoryBytes, numJobs}, {map}) => {
	if (memoryBytes === null || maxMemoryBytes === null || memoryBytes < FAR_TOO_MUCH * maxMemoryBytes) return [];
	// Grid Engine limits the address space (h_vmem), of which Node reserves much more than it uses.
	const reservedBytes = map.engine === 'grid-engine' ? 1.5 * GIBIBYTE : 0;
	const enough = Math.ceil((RESERVE * maxMemoryBytes + reservedBytes) / (GIBIBYTE / 4)) * (GIBIBYTE / 4);
	if (enough > 0.6 * memoryBytes || memoryBytes - enough < SMALL_BYTES) return [];
	return [
		{
			id: 'too-much-memory',
			weight: 'useful',
			title: 'More memory was asked for than was used',
			figure: `${numJobs} queue-jobs asked for ${bytesInWords(memoryBytes)} each; the most that one used was ${bytesInWords(maxMemoryBytes)}, ${Math.floor(memoryBytes / maxMemoryBytes)} times less.`,
			action: `Ask for \`memory: '${toOption(enough)}'\`: what asks for less starts sooner, and more of it fits on a host. Programs that tasks start are not counted here.`,
		},
	];
};

const tooLittleMemory: AskAdviser = ({memoryBytes, maxMemoryBytes}, {failures}) => {
	const killed = failures.find(({kind}) => kind === 'out-of-memory');
	const isNear = memoryBytes !== null && maxMemoryBytes !== null && maxMemoryBytes > NEAR_LIMIT * memoryBytes;
	if (killed === undefined && !isNear) return [];
	const asked = memoryBytes === null ? 'the site’s default' : bytesInWords(memoryBytes);
	const more = memoryBytes === null ? "'8G'" : `'${Math.ceil((2 * memoryBytes) / GIBIBYTE)}G'`;
	return [
		{
			id: 'too-little-memory',
			weight: killed === undefined ? 'useful' : 'important',
			title: killed === undefined ? 'The memory is hardly enough' : 'Tasks ran out of memory',
			figure: `${killed === undefined ? '' : `${killed.numTasks} tasks were ended for it. `}Asked for was ${asked}${maxMemoryBytes === null ? '' : `; the most that a queue-job told of was ${bytesInWords(maxMemoryBytes)}`}.`,
			action: `Ask for \`memory: ${more}\`, or for more at each attempt: \`resources: ({attempt}) => ({memory: attempt * 4 * 2 ** 30})\`.`,
		},
	];
};

/** Who asks for less than this starts about as soon. */
const SHORT_ASK_SECONDS = 3600;

const tooMuchTime: AskAdviser = ({timeSeconds, maxHeldMs, numJobs}) => {
	if (timeSeconds === null || maxHeldMs === null || timeSeconds <= SHORT_ASK_SECONDS) return [];
	if (1000 * timeSeconds < FAR_TOO_MUCH * maxHeldMs) return [];
	const minutes = Math.max(10, Math.ceil((2 * maxHeldMs) / 600_000) * 10);
	return [
		{
			id: 'too-much-time',
			weight: 'useful',
			title: 'More time was asked for than was used',
			figure: `${numJobs} queue-jobs asked for ${msInWords(1000 * timeSeconds)} each; the longest ran for ${msInWords(maxHeldMs)}.`,
			action: `Ask for \`time: '${minutes}m'\`: a short queue-job may fill a gap before a large one of somebody else.`,
		},
	];
};

const tooLittleTime: AskAdviser = ({timeSeconds, maxHeldMs}, {failures}) => {
	const killed = failures.find(({kind}) => kind === 'wall-time');
	const isNear = timeSeconds !== null && maxHeldMs !== null && maxHeldMs > NEAR_LIMIT * 1000 * timeSeconds;
	if (killed === undefined && !isNear) return [];
	const asked = timeSeconds === null ? 'the site’s default' : msInWords(1000 * timeSeconds);
	return [
		{
			id: 'too-little-time',
			weight: killed === undefined ? 'useful' : 'important',
			title: killed === undefined ? 'The time is hardly enough' : 'Queue-jobs ran out of time',
			figure: `${killed === undefined ? '' : `${killed.numTasks} tasks were ended for it. `}Asked for was ${asked}${maxHeldMs === null ? '' : `; the longest that ended well took ${msInWords(maxHeldMs)}`}.`,
			action: 'Ask for more `time` in `resources`, or cut smaller chunks: what is finished stays when a queue-job is ended.',
		},
	];
};

const idleSlots: AskAdviser = ({slots, busyProcessors, medianHeldMs}) => {
	if (slots < 2 || busyProcessors === null || (medianHeldMs ?? 0) < 10_000 || busyProcessors > slots / 2) return [];
	return [
		{
			id: 'idle-slots',
			weight: 'useful',
			title: 'More slots were asked for than were busy',
			figure: `Of ${slots} slots ${busyProcessors.toFixed(1)} were busy on average. Programs that tasks start are not counted.`,
			action: `Ask for \`slots: ${Math.max(1, Math.ceil(busyProcessors))}\`, unless the work is done by programs that the tasks start. JavaScript itself runs on one.`,
		},
	];
};

const ADVISERS: readonly AskAdviser[] = [tooLittleMemory, tooMuchMemory, tooLittleTime, tooMuchTime, idleSlots];
