/** Runs the commands of a file, which has a job as JSON on each line, and prints how each has ended. (`qmr run` does so without any program.) */
import {readFile} from 'node:fs/promises';
import {Pool, runCommand} from 'queue-map-reduce';

const [file = new URL('jobs.jsonl', import.meta.url)] = process.argv.slice(2);
/** @type {{cmd: string}[]} */
const jobs = (await readFile(file, 'utf8'))
	.trim()
	.split('\n')
	.map(line => JSON.parse(line));

const results = await new Pool({message: `${jobs.length} commands`}).map(runCommand, jobs);

for (const [i, {code, signal, error}] of results.entries()) console.log(`${error ?? signal ?? `code ${code}`}: ${jobs[i]?.cmd}`);
if (results.some(({code}) => code !== 0)) process.exitCode = 1;
