/** The papers say what is true: every snippet is run, every link leads somewhere. The rules are in snippets.ts. */
import {existsSync} from 'node:fs';
import {posix} from 'node:path';
import {describe, expect, test} from 'vitest';
import {findAnchors, findLinks, findSnippets} from './markdown.js';
import {createSnippetProject, type SnippetProject} from './snippet-project.js';
import {asAnnounced, NOT_RUN, normalise, planSnippets, type Step} from './snippets.js';
import {listFiles, ROOT, readText} from './source-files.js';

const GUIDES = listFiles('docs').filter(path => path.endsWith('.md'));
const PAPERS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'dummy-queue/README.md', 'examples/README.md', ...GUIDES];
const PLANS: readonly (readonly [paper: string, steps: readonly Step[]])[] = PAPERS.map(paper => [
	paper,
	planSnippets(findSnippets(readText(paper))),
]);

type Written = Extract<Step, {kind: 'program' | 'written'}>;
type Run = Extract<Step, {kind: 'program' | 'shell'}>;

/** What is written and what is run under one heading. */
type Section = {readonly heading: string; readonly written: readonly Written[]; readonly runs: readonly Run[]};

const sectionsOf = (steps: readonly Step[]): Section[] =>
	[...new Set(steps.map(({snippet}) => snippet.section))].map(heading => {
		const own = steps.filter(({snippet}) => snippet.section === heading);
		return {
			heading,
			written: own.filter(step => step.kind === 'program' || step.kind === 'written'),
			runs: own.filter(step => step.kind === 'program' || step.kind === 'shell'),
		};
	});

/** A section is a project of its own; a guide, which tells one story, is one project as a whole. */
const PROJECTS = PLANS.flatMap(([paper, steps]): (readonly [paper: string, title: string, sections: readonly Section[]])[] => {
	const sections = sectionsOf(steps).filter(({runs}) => runs.length > 0);
	if (!GUIDES.includes(paper)) return sections.map(section => [paper, section.heading, [section]]);
	return sections.length === 0 ? [] : [[paper, 'as a whole', sections]];
});

test.each(PLANS)('%s: there is a rule for every snippet', (_paper, steps) => {
	expect(steps.flatMap(step => (step.kind === 'problem' ? [`line ${step.snippet.line}: ${step.problem}`] : []))).toEqual([]);
});

test.each(PROJECTS)('%s, %s: the snippets print what they say', async (paper, _title, sections) => {
	const project = await createSnippetProject();
	try {
		for (const {written, runs} of sections) {
			for (const {file, snippet} of written) await project.write(file, snippet.text);
			for (const step of runs) await check(paper, step, project);
		}
	} finally {
		await project.remove();
	}
});

test('a test file is run by a command of its section', () => {
	const idle = PLANS.flatMap(([paper, steps]) =>
		sectionsOf(steps).flatMap(({written, runs}) =>
			written
				.filter(
					({kind, file}) =>
						kind === 'written' && file.endsWith('.js') && !runs.some(run => run.kind === 'shell' && run.snippet.text.includes(file)),
				)
				.map(({file}) => `${paper}: ${file}`),
		),
	);
	expect(idle).toEqual([]);
});

const check = async (paper: string, step: Run, project: SnippetProject): Promise<void> => {
	const where = `${paper}:${step.snippet.line}`;
	const {exitCode, ...printed} = step.kind === 'program' ? await project.runFile(step.file) : await project.runShell(step.snippet.text);
	const {expected} = step;
	const stdout = normalise(expected.stdout);
	const stderr = expected.stderr === undefined ? undefined : normalise(expected.stderr);
	const printedStderr = normalise(printed.stderr, project.directory);
	expect({
		where,
		exitCode,
		stdout: asAnnounced(normalise(printed.stdout, project.directory), stdout),
		stderr: asAnnounced(printedStderr, stderr ?? ''),
	}).toEqual({
		where,
		exitCode: expected.exitCode,
		stdout,
		// Unless it is shown, what the library tells people there is not compared; nothing else may come.
		stderr: stderr ?? linesOfLibrary(printedStderr),
	});
};

const linesOfLibrary = (stderr: string): string => (stderr.match(/^queue-map-reduce: .*\n/gm) ?? []).join('');

test('every command that is not run stands somewhere, and names scripts and files that exist', () => {
	const commands = PLANS.flatMap(([, steps]) => steps.flatMap(step => (step.kind === 'not-run' ? step.commands : [])));
	expect([...NOT_RUN.keys()].filter(command => !commands.includes(command))).toEqual([]);
	const {scripts} = JSON.parse(readText('package.json')) as {scripts: Readonly<Record<string, string>>};
	const named = commands.flatMap(command => [...command.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name = '']) => name));
	expect(named.filter(name => !(name in scripts))).toEqual([]);
	const files = commands.flatMap(command => command.split(' ')).filter(word => /^\.ci\/|^(?:src|test|scripts|bench)\//.test(word));
	expect(files.filter(file => !existsSync(`${ROOT}${file}`))).toEqual([]);
});

test.each(PAPERS)('%s: its links lead to files and headings that exist', paper => {
	const broken = findLinks(readText(paper)).filter(target => {
		if (/^https:\/\//.test(target)) return false;
		const [path = '', anchor] = target.split('#');
		const file = path === '' ? paper : posix.join(posix.dirname(paper), path);
		if (!existsSync(`${ROOT}${file}`)) return true;
		return anchor !== undefined && !findAnchors(readText(file)).includes(anchor);
	});
	expect(broken).toEqual([]);
});

describe('a snippet that would not be checked is found', () => {
	const fence = (language: string, text: string, marker = ''): string => `${marker}\n\`\`\`${language}\n${text}\n\`\`\`\n`;

	test.each([
		['without a language', fence('', 'anything')],
		['of another language', fence('ruby', 'puts 1')],
		['of Python that is said to print', fence('python', 'print(1)') + fence('text', '1', '<!-- output -->')],
		['of a text that nobody prints', fence('text', 'anything')],
		['without a file name', fence('js', 'console.log(1);')],
		['with the file name of another one', fence('js', '// a.js') + fence('js', '// a.js')],
		['with an output and nothing before it', fence('text', '1', '<!-- output -->')],
		['with an output in another section', `${fence('js', '// a.js')}## Other\n${fence('text', '1', '<!-- output -->')}`],
		['with two outputs', fence('js', '// a.js') + fence('text', '1', '<!-- output -->').repeat(2)],
		['with two outputs, one in comments', fence('js', '// a.js\nconsole.log(1); // 1') + fence('text', '1', '<!-- output -->')],
		['of commands only some of which can be run', fence('sh', 'npm install queue-map-reduce\nls')],
		['of json without a sample', fence('json', '{}')],
	])('%s', (_title, markdown) => {
		expect(planSnippets(findSnippets(markdown)).filter(({kind}) => kind === 'problem')).toHaveLength(1);
	});

	test('a marker belongs to the snippet right after it only', () => {
		const [first, second] = findSnippets(`${fence('text', '1', '<!-- output -->')}${fence('text', '2')}`);
		expect([first?.marker, second?.marker]).toEqual(['output', undefined]);
	});
});

describe('a line of dots in what is announced', () => {
	test.each([
		['stands for lines', 'a\nb\nc\nd\n', 'a\n…\nd\n', true],
		['stands for none', 'a\nd\n', 'a\n…\nd\n', true],
		['stands for what comes first and last', 'a\nb\nc\n', '…\nb\n…\n', true],
		['stands for whole lines only', 'a\nb c\n', 'a\n…\nc\n', false],
		['leaves the rest to be compared', 'a\nb\nx\n', 'a\n…\nd\n', false],
		['is no dots within a line', 'a b\n', 'a …\n', false],
	])('%s', (_title, printed, announced, fits) => {
		expect(asAnnounced(printed, announced) === announced).toBe(fits);
	});
});
