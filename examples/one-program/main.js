/**
 * The same program on a laptop, on Grid Engine and on Slurm: the pool takes what there is. With `--serial` there is no pool at all. What comes out is the same.
 */
import path from 'node:path';
import {parseArgs} from 'node:util';
import {Pool} from 'queue-map-reduce';
import {makeJobs, runJob} from './events.js';

const {serial, events, directory} = parseArgs({
	options: {
		serial: {type: 'boolean', default: false},
		events: {type: 'string', default: '20'},
		directory: {type: 'string', default: 'events'},
	},
}).values;

const jobs = await makeJobs(path.resolve(directory), Number(events));
const lines = serial ? await Promise.all(jobs.map(runJob)) : await new Pool({message: `${events} events`}).map(runJob, jobs);

for (const {event, slope, offset} of lines.slice(0, 3)) console.log(`event ${event}: y = ${offset.toFixed(4)} + ${slope.toFixed(4)} x`);
console.log(`${lines.length} lines are in ${directory}, next to the hits.`);
