// Builds the package into dist/: the library, the dummy queue and the contract of an engine by tsc, and the worker program bundled into
// the ONE file that is copied into every work_dir.
import {execFileSync} from 'node:child_process';
import {chmodSync, rmSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, {recursive: true, force: true});
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.json`], {stdio: 'inherit'});
await build({
	entryPoints: [`${root}src/worker/main.ts`],
	outfile: `${root}dist/src/worker/worker_node_script.cjs`,
	bundle: true,
	platform: 'node',
	// An ES module pays for a copy of every name that each module of Node has, streams and stdin included: 3 to 5 ms in every queue-job.
	format: 'cjs',
	define: {'import.meta.filename': '__filename'},
	target: 'node20.19',
	// A newcomer may open the file in a kept work_dir: leave it readable.
	minify: false,
	legalComments: 'none',
});
// npm makes it so for those who install the package; a link into this repository leads to the file as it is.
chmodSync(`${root}dist/src/cli/main.js`, 0o755);
