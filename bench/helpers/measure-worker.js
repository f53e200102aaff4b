/** The most memory that any worker of a kept map has used, as it says itself: `measure-worker.js WORK_DIR` prints megabytes. */
import {attemptPath} from '../../dist/src/layout.js';
import {realFiles} from '../../dist/src/ports.js';
import {findChunks, readManifest} from '../../dist/src/read/read-manifest.js';
import {openBlockFile} from '../../dist/src/v8-serialize-helpers.js';

const workDir = process.argv[2] ?? '';
const found = await readManifest(workDir, realFiles);
if (found.kind !== 'found') throw new Error(`no work_dir: ${workDir}`);
const {chunks} = await findChunks(found.manifest, workDir, [], [], realFiles);
let most = 0;
for (const {ichunk} of chunks) {
	const source = await realFiles.openSource(attemptPath(workDir, ichunk, 1, 'out'));
	const trailer = /** @type {{maxRssBytes: number}} */ ((await openBlockFile(source)).trailer);
	await source.close();
	most = Math.max(most, trailer.maxRssBytes);
}
console.log(most / 2 ** 20);
