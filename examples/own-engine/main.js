/** Maps over machines that have no scheduler, by an engine of its own. */
import {hostname} from 'node:os';
import {parseArgs} from 'node:util';
import {Pool} from 'queue-map-reduce';
import {findLongestChain} from './collatz.js';
import {createHostsEngine} from './hosts-engine.js';

const HELP = `Usage: node main.js [HOST:SLOTS ...] [--shell PROGRAM]

Finds the longest Collatz chain below a million on these machines, SLOTS queue-jobs at once on each; without any, on this one.
Each must let you in without a question, and have the same files and the same node at the same path.

  --shell PROGRAM  the remote shell, called as PROGRAM HOST LINE [ssh]
  --help           print this text`;

const LIMIT = 1_000_000;
const NUM_TASKS = 20;

const main = async () => {
	const {values, positionals} = parseArgs({
		allowPositionals: true,
		options: {shell: {type: 'string', default: 'ssh'}, help: {type: 'boolean', default: false}},
	});
	if (values.help) return console.log(HELP);
	const hosts = positionals.map(text => readHost(text, values.shell));
	const engine = createHostsEngine(hosts.length > 0 ? hosts : [thisMachine(2)]);

	const size = LIMIT / NUM_TASKS;
	const tasks = Array.from({length: NUM_TASKS}, (_, i) => ({from: i * size + 1, to: (i + 1) * size + 1}));
	const chains = await new Pool({engine}).map(findLongestChain, tasks);
	const {start, steps} = chains.reduce((a, b) => (b.steps > a.steps ? b : a));
	console.log(`The longest chain up to ${LIMIT} begins at ${start} and has ${steps} steps.`);
};

/** @param {string} text @param {string} shell */
const readHost = (text, shell) => {
	const [, name, slots] = /^(.+):([1-9]\d*)$/.exec(text) ?? [];
	if (name === undefined) throw new Error(`Expected HOST:SLOTS, as node1:4, got ${text}`);
	return {name, slots: Number(slots), shell: [shell, name]};
};

/** Its shell gets no variable of this process but what it takes to find programs, as behind an ssh. @param {number} slots */
const thisMachine = slots => ({name: hostname(), slots, shell: ['env', '-i', `PATH=${process.env.PATH}`, '/bin/sh', '-c']});

await main();
