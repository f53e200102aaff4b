/** Reads and orders all results of a finished map that was kept, in a process of its own: `measure-reading.js WORK_DIR` prints the seconds. */
import {performance} from 'node:perf_hooks';
import {attemptPath} from '../../dist/src/layout.js';
import {realFiles} from '../../dist/src/ports.js';
import {findChunks, readManifest} from '../../dist/src/read/read-manifest.js';
import {createReducer} from '../../dist/src/reduce.js';

const workDir = process.argv[2] ?? '';
const found = await readManifest(workDir, realFiles);
if (found.kind !== 'found') throw new Error(`no work_dir: ${workDir}`);
const {chunks} = await findChunks(found.manifest, workDir, [], [], realFiles);
const {session, numTasks} = found.manifest;
const startedMs = performance.now();
const reducer = createReducer({session, workDir, keep: 'values', taskAt: async () => undefined, files: realFiles});
for (const chunk of chunks) {
	const attempts = [{attempt: 1, jobId: undefined, host: undefined, failure: undefined}];
	const {kind} = await reducer.collect(chunk, attempts, 1, attemptPath(workDir, chunk.ichunk, 1, 'out'));
	if (kind !== 'whole') throw new Error(kind);
}
const values = reducer.values();
console.log((performance.now() - startedMs) / 1000);
if (values.length !== numTasks) throw new Error('wrong results');
