/** What is in the papers of this project: snippets, tables, links and headings of a Markdown text. */

export type Snippet = {
	/** Of its opening fence, from 1. */
	readonly line: number;
	/** The heading of second degree that it stands under. */
	readonly section: string;
	readonly language: string;
	/** The comment right before it, as `output` or `file: main.js`. */
	readonly marker: string | undefined;
	readonly text: string;
};

export const findSnippets = (markdown: string): Snippet[] => {
	const snippets: Snippet[] = [];
	let section = '';
	let marker: string | undefined;
	let open: {line: number; language: string; lines: string[]} | undefined;
	for (const [index, line] of markdown.split('\n').entries()) {
		if (open !== undefined) {
			if (line.trim() === '```') {
				snippets.push({line: open.line, section, language: open.language, marker, text: open.lines.join('\n')});
				open = undefined;
				marker = undefined;
			} else open.lines.push(line);
			continue;
		}
		const fence = /^\s*```(.*)$/.exec(line);
		if (fence !== null) open = {line: index + 1, language: fence[1] ?? '', lines: []};
		else if (line.trim() !== '') marker = /^<!-- (.+) -->$/.exec(line)?.[1];
		section = /^## (.+)$/.exec(line)?.[1] ?? section;
	}
	if (open !== undefined) throw new Error(`The snippet at line ${open.line} has no end`);
	return snippets;
};

/** The cells of the table whose first heading is `firstHeading`, row by row. */
export const findTable = (markdown: string, firstHeading: string): string[][] => {
	const lines = markdown.split('\n');
	const start = lines.findIndex((line, i) => cellsOf(line)[0] === firstHeading && /^\|[ :|-]+\|$/.test(lines[i + 1] ?? ''));
	if (start === -1) throw new Error(`There is no table that begins with "${firstHeading}"`);
	const rest = lines.slice(start + 2);
	const end = rest.findIndex(line => !line.startsWith('|'));
	return rest.slice(0, end === -1 ? undefined : end).map(cellsOf);
};

const cellsOf = (line: string): string[] =>
	line
		.slice(1, -1)
		.split('|')
		.map(cell => cell.trim());

/** Where the links outside of snippets point to. */
export const findLinks = (markdown: string): string[] =>
	[...withoutSnippets(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');

/** The anchors of all headings, made as GitHub makes them. */
export const findAnchors = (markdown: string): string[] =>
	[...withoutSnippets(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
		heading
			.toLowerCase()
			.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
			.replaceAll(' ', '-'),
	);

const withoutSnippets = (markdown: string): string => markdown.replaceAll(/^\s*```[\s\S]*?^\s*```$/gm, '');
