/** All commands of `qmr`. */
import {Command} from 'commander';
import {VERSION} from '../version.js';
import {cancelCommand} from './commands/cancel.js';
import {cleanCommand} from './commands/clean.js';
import {collectCommand} from './commands/collect.js';
import {doctorCommand} from './commands/doctor.js';
import {errorsCommand} from './commands/errors.js';
import {lsCommand} from './commands/ls.js';
import {mapCommand} from './commands/map.js';
import {reportCommand} from './commands/report.js';
import {rerunCommand} from './commands/rerun.js';
import {resultsCommand} from './commands/results.js';
import {resumeCommand} from './commands/resume.js';
import {runJobsCommand} from './commands/run.js';
import {showCommand} from './commands/show.js';
import {statusCommand} from './commands/status.js';

export const createProgram = (): Command => {
	const program = new Command('qmr')
		.description('Maps a program or a function over many tasks as batch jobs on the queue of a cluster, and looks after them.')
		.version(VERSION)
		.exitOverride()
		.showHelpAfterError('(--help tells more)')
		.configureHelp({showGlobalOptions: true})
		.addHelpText('after', EXAMPLES);
	for (const command of COMMANDS) program.addCommand(command().copyInheritedSettings(program));
	return program;
};

/** In the order in which they are told. */
const COMMANDS: readonly (() => Command)[] = [
	runJobsCommand,
	mapCommand,
	lsCommand,
	statusCommand,
	showCommand,
	errorsCommand,
	resultsCommand,
	resumeCommand,
	rerunCommand,
	cancelCommand,
	cleanCommand,
	collectCommand,
	doctorCommand,
	reportCommand,
];

const EXAMPLES = `
Examples:
  qmr run < jobs.jsonl > results.jsonl
  qmr map ./model.js#simulate -i parameters.jsonl -o results.jsonl --queue-name short.q
  qmr status --watch
  qmr errors .qmr/2026-11-21T00-20-07_a10cda
`;
