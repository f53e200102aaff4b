// Builds the package into dist/: the library, the dummy queue and the contract of an engine by tsc, and the worker program bundled into
// the ONE file that is copied into every work_dir, the programs of the dummy queue, too. The page of a report is one file, too: its style and its script are in it.
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {chmodSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, {recursive: true, force: true});
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.json`], {stdio: 'inherit'});
/**
 * An ES module pays for a copy of every name that each module of Node has, streams and stdin included, and for every file of its own: 3 to 5 ms in every
 * queue-job, and a quarter of every call of the dummy queue.
 *
 * @param {string} source @param {string} program
 */
const bundleProgram = (source, program) =>
	build({
		entryPoints: [`${root}${source}`],
		outfile: `${root}dist/${program}`,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		define: {'import.meta.filename': '__filename'},
		target: 'node20.19',
		// A newcomer may open the file in a kept work_dir: leave it readable.
		minify: false,
		legalComments: 'none',
	});
await bundleProgram('src/worker/main.ts', 'src/worker/worker_node_script.cjs');
await bundleProgram('dummy-queue/program.ts', 'dummy-queue/program.cjs');

/** @param {string} name @param {{loader: 'ts' | 'css'}} options */
const bundle = async (name, {loader}) => {
	const {outputFiles} = await build({
		entryPoints: [`${root}src/report/page/${name}`],
		bundle: true,
		write: false,
		minify: true,
		legalComments: 'none',
		...(loader === 'ts' ? {format: 'iife', platform: 'browser', target: 'es2022'} : {}),
	});
	return outputFiles[0]?.text.trim() ?? '';
};

const style = await bundle('style.css', {loader: 'css'});
const script = await bundle('main.ts', {loader: 'ts'});
if (/<\/(?:style|script)|<!--/i.test(style + script))
	throw new Error('Expected nothing in the style and script of a page that ends its element.');
/** @param {string} text */
const hash = text => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
// Only what is built here may run: were words of a task ever to become markup, they could neither run nor load anything.
const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; img-src data:; base-uri 'none'; form-action 'none'`;
const parts = new Map([
	['POLICY', policy],
	['/* STYLE */', style],
	['/* SCRIPT */', script],
]);
const page = readFileSync(`${root}src/report/page/template.html`, 'utf8').replaceAll(
	/POLICY|\/\* (?:STYLE|SCRIPT) \*\//g,
	place => parts.get(place) ?? '',
);
writeFileSync(`${root}dist/src/report/report-page.html`, page);

// npm makes it so for those who install the package; a link into this repository leads to the file as it is.
chmodSync(`${root}dist/src/cli/main.js`, 0o755);
