/** `qmr run`: shell commands as queue-jobs, JSON lines in and out. */
import {Command} from 'commander';
import {addPoolFlags, readPoolFlags} from '../pool-flags.js';
import {addStreamFlags, type StreamFlags} from '../run/stream-flags.js';

export const runJobsCommand = (): Command => {
	const command = new Command('run')
		.summary('run shell commands, one a line')
		.description(
			'Runs shell commands on the queue. Each line of the input is a JSON object with the key `cmd`; it may have `cd`, `out`, `err` and `host`, and any others, which are kept. Each line of the output is such an object with `result`, written as soon as its command has ended.',
		);
	addStreamFlags(command);
	addPoolFlags(command);
	return command.addHelpText('after', HELP).action(async (flags: StreamFlags) => {
		const {execute} = await import('../run/run-action.js');
		await execute(flags, readPoolFlags(command));
	});
};

const HELP = `
Keys of a job:
  cmd   for bash, with pipefail: the exit code is that of the last part of a pipe that has failed
  cd    the working directory of this command (default: the current one)
  out   a file for its stdout, relative to cd; what was in it is gone (default: it is kept in the work_dir)
  err   the same for stderr
  host  a name or a list of names: the hosts that may run it (jobs of equal hosts are a map of their own; --resume with the work_dir of any map of the run goes on with all)

Keys of a result: index (of the line, from 0), code, signal, error (why it could not be run), kind (of that), submitted, started, completed, received,
elapsed (seconds), host, jobId, attempt, itask (for \`qmr show\`).
A line that is no JSON gives {"line": …, "result": {"error": …}}, and all others are run.

Ends with 0 if every command returned 0, else with 1; with 2 when nothing was begun.

Of an input that goes on for long, several jobs are given to one queue-job after a while. When none comes for a second or two, those that there are do not wait for
more, unless a queue-job of theirs waits in the queue, too; --chunk-size 1 begins each as soon as it comes.

Examples:
  qmr run < jobs.jsonl > results.jsonl
  echo '{"cmd": "sleep 10; hostname", "out": "a.txt"}' | qmr run
  qmr run -i jobs.jsonl -o results.jsonl -l run.log --queue-name short.q --resources memory=4G,time=1h
  qmr run -i jobs.jsonl --limit 2 --dry-run
`;
