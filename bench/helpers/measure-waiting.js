/**
 * How much of a core this process needs while it waits for many queue-jobs that run: `measure-waiting.js COUNT SECONDS` prints percents. The scheduler's programs
 * are stand-ins that take every queue-job and tell that it runs, with loads that change from answer to answer.
 */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {Pool} from 'queue-map-reduce';
import {double} from './tasks.js';

const QSUB = `#!/bin/sh
while [ "$1" != -N ]; do shift; done
echo "$$ $2" >>"\${0%/*}/jobs"
echo $$
`;

const QSTAT = `#!/bin/sh
exec awk -v "load=$(date +%s)" -v "user=$(id -un)" '
BEGIN {
	print "<?xml version=\\"1.0\\"?><job_info><queue_info><Queue-List><name>all.q@node1</name><load_avg>" load "</load_avg>"
}
{
	print "<job_list state=\\"running\\"><JB_job_number>" $1 "</JB_job_number><JB_name>" $2 "</JB_name><JB_owner>" user "</JB_owner><state>r</state><slots>1</slots></job_list>"
}
END {
	print "</Queue-List></queue_info><job_info></job_info></job_info>"
}' "\${0%/*}/jobs"
`;

const [numJobs = 0, seconds = 0] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(path.join(tmpdir(), 'qmr-waiting-'));
try {
	const program = (/** @type {string} */ name, /** @type {string} */ text) => {
		const file = path.join(directory, name);
		writeFileSync(file, text, {mode: 0o755});
		return file;
	};
	writeFileSync(path.join(directory, 'jobs'), '');
	const run = await new Pool({
		engine: 'grid-engine',
		qsubPath: program('qsub', QSUB),
		qstatPath: program('qstat', QSTAT),
		qdelPath: program('qdel', '#!/bin/sh\n: >"${0%/*}/jobs"\n'),
		numChunks: numJobs,
		workDir: path.join(directory, 'work_dir'),
	}).submit(
		double,
		Array.from({length: numJobs}, (_, i) => i),
	);
	const before = process.cpuUsage();
	const beganMs = performance.now();
	await sleep(1000 * seconds);
	const {user, system} = process.cpuUsage(before);
	const percent = (user + system) / 10 / (performance.now() - beganMs);
	const {running} = run.status();
	if (running !== numJobs) throw new Error(`${running} of ${numJobs} run`);
	await run.cancel();
	await run.results().catch(() => undefined);
	console.log(percent);
} finally {
	rmSync(directory, {recursive: true});
}
