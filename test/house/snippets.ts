/**
 * What is to be done with each snippet of a paper. Nothing is left undone: a snippet that no rule knows is a problem.
 *
 * - `js`, `ts`: a file, named by its first line (`// main.js`) or by `<!-- file: main.js -->` before it. All files of one section (`##`) are written
 *   into one project; then each is run by node in order. `ts` is compiled before, strictly. A guide in `docs/` is one project from its first heading to its last.
 * - `<!-- output -->`, `<!-- stderr -->` before a `text`: what the snippet before it prints. Or each `console.log(…)` ends with `// what it prints`.
 *   What is not announced must not be printed; only lines that begin with `queue-map-reduce: ` may come on stderr. A line `…` stands for any lines, none
 *   as well. `<!-- output, exit code 1 -->`, and so for stderr, is for what does not end with 0.
 * - `js` in a file `….test.js`: written like the others, and run by the `sh` that names it. `json` after `<!-- file: … -->`: written.
 * - `sh`: run by sh in that project, or all its lines are in `NOT_RUN`, which says why. A block without a language right after those is what they print.
 * - `python`: what a reader comes from. It is not run.
 * - `<!-- sample: … -->` before a `json`: lines of log.jsonl; their events and fields are those that there are.
 */
import {hostname} from 'node:os';
import type {Snippet} from './markdown.js';

/** Commands that a test can't run, and the reason. */
export const NOT_RUN: ReadonlyMap<string, string> = new Map([
	['npm install queue-map-reduce', 'asks the registry; test/house/package.test.ts uses the packed package as its users do'],
	['npm ci', 'would replace node_modules under the running test'],
	['npm ci && npm run demo', 'the same; test/chain/examples.test.ts runs the demo'],
	['npm ci && npm test', 'the same'],
	['npm run demo', 'takes half a minute; test/chain/examples.test.ts runs the program'],
	['node examples/text-files/main.js node_modules/p-retry', 'test/chain/examples.test.ts runs it and compares what it prints'],
	['node examples/own-engine/main.js', 'the same'],
	['node examples/shell-commands/main.js', 'the same: it ends with the code 1'],
	[
		'node examples/own-engine/main.js node1:8 node2:8',
		'needs two machines; test/chain/examples.test.ts has a remote shell that leads to this one',
	],
	[
		'qmr run -i jobs.jsonl -o results.jsonl --queue-name short.q --resources memory=4G,time=1h',
		'needs Python and a queue; test/cli/run.test.ts runs commands',
	],
	['npm test', 'this test is part of it'],
	['npm run bench -- --install --markdown README.md', 'takes an hour; test/house/bench.test.ts runs it in small'],
	['npm run lint', 'run by .ci/run'],
	['npm run typecheck', 'run by .ci/run'],
	['npm run build', 'would replace dist under the running tests'],
	['npx vitest run test/unit/judge.test.ts', 'a test of its own'],
	['npm run test:simulation', 'takes minutes; run by .ci/run'],
	['apt-get install -y chromium', 'changes the machine; done by .ci/run'],
	['npm run test:browser', 'needs that browser; run by .ci/run'],
	['npm run simulate -- --seeds 1000000', 'takes an hour'],
	['npm run simulate -- --seed 4711', 'test/simulation/simulation.test.ts replays this seed'],
	['test/engines/grid-engine.sh up 2 24', 'installs a cluster; run by .ci/run'],
	['test/engines/grid-engine.sh wrappers /tmp/grid-engine', 'needs that cluster; run by .ci/run'],
	['PATH=/tmp/grid-engine:$PATH npm run test:engines', 'needs that cluster; run by .ci/run'],
	['test/engines/grid-engine.sh down', 'needs that cluster; run by .ci/run'],
	['.ci/run', 'runs this test'],
	['.ci/long', 'runs this test'],
	['git tag --annotate v0.1.0 --message 0.1.0', 'changes the repository'],
	['npm publish', 'publishes the package'],
	['git push --follow-tags', 'publishes the repository'],
]);

export type Step =
	| {readonly kind: 'program'; readonly snippet: Snippet; readonly file: string; readonly expected: Printed}
	| {readonly kind: 'written'; readonly snippet: Snippet; readonly file: string}
	| {readonly kind: 'shell'; readonly snippet: Snippet; readonly expected: Printed}
	| {readonly kind: 'sample'; readonly snippet: Snippet}
	| {readonly kind: 'not-run'; readonly snippet: Snippet; readonly commands: readonly string[]}
	| {readonly kind: 'foreign'; readonly snippet: Snippet}
	| {readonly kind: 'problem'; readonly snippet: Snippet; readonly problem: string};

export type Printed = {readonly stdout: string; readonly stderr: string | undefined; readonly exitCode: number};

type MutableStep = Step & {expected?: {stdout: string; stderr: string | undefined; exitCode: number}};

export const planSnippets = (snippets: readonly Snippet[]): Step[] => {
	const steps: MutableStep[] = [];
	for (const snippet of snippets) {
		const {language, marker, text} = snippet;
		const announced = /^(output|stderr)(?:, exit code (\d+))?$/.exec(marker ?? '');
		if (announced !== null) {
			const [, stream, exitCode = '0'] = announced;
			const problem = announce(steps.at(-1), stream === 'output' ? 'stdout' : 'stderr', Number(exitCode), snippet);
			if (problem !== undefined) steps.push({kind: 'problem', snippet, problem});
		} else if (language === 'js' || language === 'ts') steps.push(planProgram(snippet, steps));
		else if (language === 'json' && fileOf(snippet) !== undefined) steps.push({kind: 'written', snippet, file: fileOf(snippet) ?? ''});
		else if (language === 'python') steps.push({kind: 'foreign', snippet});
		else if (language === 'sh') steps.push(planShell(snippet));
		else if (language === '' && steps.at(-1)?.kind === 'not-run') continue;
		else if (language === 'json' && marker?.startsWith('sample: ')) steps.push({kind: 'sample', snippet});
		else
			steps.push({kind: 'problem', snippet, problem: `no rule says what to do with it: ${language} ${marker ?? ''} ${text.slice(0, 40)}`});
	}
	return steps;
};

const announce = (before: MutableStep | undefined, stream: 'stdout' | 'stderr', exitCode: number, snippet: Snippet): string | undefined => {
	if (before?.expected === undefined || before.snippet.section !== snippet.section) return 'nothing before it in its section prints';
	if (before.expected[stream]) return `its ${stream} is announced twice`;
	before.expected[stream] = `${snippet.text}\n`;
	before.expected.exitCode ||= exitCode;
	return undefined;
};

const planProgram = (snippet: Snippet, before: readonly Step[]): MutableStep => {
	const file = fileOf(snippet) ?? /^\/\/ (\S+\.[cm]?[jt]s)$/m.exec(snippet.text.split('\n')[0] ?? '')?.[1];
	if (file === undefined) return {kind: 'problem', snippet, problem: 'it has no file name'};
	if (before.some(step => 'file' in step && step.file === file && step.snippet.section === snippet.section))
		return {kind: 'problem', snippet, problem: `there is another ${file} in its section`};
	if (/\.test\.[cm]?js$/.test(file)) return {kind: 'written', snippet, file};
	const announced = [...snippet.text.matchAll(/^\s*console\.log\(.*\); \/\/ (.+)$/gm)].map(([, printed]) => `${printed}\n`);
	return {kind: 'program', snippet, file, expected: {stdout: announced.join(''), stderr: undefined, exitCode: 0}};
};

const fileOf = ({marker}: Snippet): string | undefined => /^file: (\S+)$/.exec(marker ?? '')?.[1];

const planShell = (snippet: Snippet): MutableStep => {
	const commands = snippet.text.split('\n').map(line => line.replace(/\s+# .*$/, '').trim());
	if (commands.every(command => NOT_RUN.has(command))) return {kind: 'not-run', snippet, commands};
	const some = commands.filter(command => NOT_RUN.has(command));
	if (some.length > 0) return {kind: 'problem', snippet, problem: `only some of its commands can be run, not ${some.join(', ')}`};
	return {kind: 'shell', snippet, expected: {stdout: '', stderr: undefined, exitCode: 0}};
};

/**
 * What differs from run to run becomes the same: the directory of the project, sessions, times, numbers of processes and slots, who and where somebody is, durations, memory, the
 * width of columns.
 */
export const normalise = (text: string, project?: string): string =>
	(project === undefined ? text : inPaper(text, project))
		.replaceAll(/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d_[\da-f]{6}/g, 'SESSION')
		.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
		.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: UTC)?/g, 'TIME')
		.replaceAll(/\blocal-\d+-/g, 'local-PID-')
		.replaceAll(/\(pid \d+\)/g, '(pid PID)')
		.replaceAll(/\bhost: '[^']+'/g, "host: 'HOST'")
		.replaceAll(/\belapsedMs: [\d.e-]+/g, 'elapsedMs: MS')
		.replaceAll(/\b[\d.]+ ?(?:ms|s|min|h)(?= ago\b)/g, 'AGE')
		.replaceAll(/(?<=SESSION +)\d+[smhd]\b/g, 'AGE')
		.replaceAll(/\btook [\d.]+ (?:ms|s)\b/g, 'took TIME')
		.replaceAll(/\(\d+(?:\.\d+)?ms\)/g, '(MS)')
		.replaceAll(
			/\bfor [\d.]+ \S+ \(median\), but only [\d.]+ % of the time was spent in tasks, of [\d.]+ \S+ each/g,
			'for TIME, of TIME each',
		)
		.replaceAll(/\b[\d.]+ MiB\b/g, 'N MiB')
		.replaceAll(/\bQMR_CONTRACT_[\da-f]+/g, 'QMR_CONTRACT_RANDOM')
		.replaceAll(/\b\d+ queue-jobs at once/g, 'SLOTS queue-jobs at once')
		.replaceAll(/\(\d+ tasks are finished\)/g, '(N tasks are finished)')
		.replaceAll(/ {2,}/g, '  ');

/** The papers tell of Ada, at her laptop. */
const inPaper = (text: string, project: string): string =>
	text
		.replaceAll(project, '/home/ada/project')
		.replaceAll(new RegExp(`by \\S+ on ${hostname()}(?= )`, 'g'), 'by ada on laptop')
		.replaceAll(new RegExp(`^(  on |)${hostname()}(?=$| {2,})`, 'gm'), '$1laptop');

const ANY_LINES = '…\n';

/** What was announced, when it is what was printed: a line `…` in it stands for any lines. Otherwise what was printed. */
export const asAnnounced = (printed: string, announced: string): string => {
	const pattern = announced
		.split(/^(…\n)/m)
		.map(part => (part === ANY_LINES ? '(?:.*\n)*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')))
		.join('');
	return new RegExp(`^${pattern}$`).test(printed) ? announced : printed;
};
