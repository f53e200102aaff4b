const ENDINGS: Readonly<Record<string, readonly string[]>> = {'.js': ['.ts', '.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'], '.jsx': ['.tsx']};

/** The file itself, then those that TypeScript's loaders take for it: `./work.js` may be written in `work.ts`. */
export const typeScriptSiblings = (url: string): readonly string[] => {
	const [, stem, ending = ''] = /^(.*?)(\.[cm]?jsx?)$/.exec(url) ?? [];
	return [url, ...(ENDINGS[ending] ?? []).map(other => `${stem}${other}`)];
};
