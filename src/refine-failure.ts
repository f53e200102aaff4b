/** Makes more of why an attempt failed by the last words of its worker: what Node says of memory nobody else knows. */
import type {OutputFile} from './layout.js';
import type {AttemptFailure} from './map-state.js';
import {ADDRESS_SPACE_MIB} from './node-memory.js';
import type {Ports} from './ports.js';
import {readEnd} from './read/stderr-tail.js';

/** @param stderr - The attempt's. */
export const refineFailure = async (
	failure: AttemptFailure,
	stderr: OutputFile,
	files: Pick<Ports['files'], 'openSource'>,
): Promise<AttemptFailure> => {
	if (!VAGUE.has(failure.kind)) return failure;
	const end = await readEnd(files, stderr, LAST_WORDS_BYTES);
	const known = LAST_WORDS.find(({pattern}) => pattern.test(end));
	if (known !== undefined) return {kind: known.kind, reason: `${failure.reason}: ${known.meaning}`};
	const lastLine = end.trimEnd().split('\n').at(-1) ?? '';
	return lastLine === '' ? failure : {...failure, reason: `${failure.reason}; its stderr ends with: ${lastLine}`};
};

/** Behind its words Node prints the stack of its own program, of up to 30 long lines. */
const LAST_WORDS_BYTES = 16_384;

/** Of all others it is known what they were. */
const VAGUE: ReadonlySet<AttemptFailure['kind']> = new Set(['lost', 'killed', 'start-failed', 'out-of-memory']);

/** `724 MB (v20), 763 MB (v22) or 1153 MB (v24)` */
function listNeeds(): string {
	const needs = Object.entries(ADDRESS_SPACE_MIB).map(([major, mib]) => `${mib} MB (v${major})`);
	return `${needs.slice(0, -1).join(', ')} or ${needs.at(-1)}`;
}

type LastWords = {readonly pattern: RegExp; readonly kind: AttemptFailure['kind']; readonly meaning: string};

/** As Node 20, 22 and 24 print them. The address space that Node needs to start: measured by `ulimit -v`. */
const LAST_WORDS: readonly LastWords[] = [
	{
		pattern: /Failed to reserve virtual memory for CodeRange/,
		kind: 'out-of-memory',
		meaning: `the address space that it was given (\`h_vmem\`, \`ulimit -v\`) is too small for Node, which needs ${listNeeds()} to start, and more to compute`,
	},
	{
		pattern: /JavaScript heap out of memory|Fatal process out of memory|invalid array length Allocation failed/,
		kind: 'out-of-memory',
		meaning: 'Node ran out of memory: ask for more `memory` in `resources`, or set `--max-old-space-size` in NODE_OPTIONS',
	},
	{
		pattern: /WebAssembly\.\w+\(\): Out of memory|Cannot allocate Wasm memory/,
		kind: 'out-of-memory',
		meaning:
			'WebAssembly, which `fetch` uses, reserves 11.2 GB of address space on Node 20 and 22 unless NODE_OPTIONS has --disable-wasm-trap-handler',
	},
];
