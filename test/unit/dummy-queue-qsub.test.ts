import {readFileSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {type Job, readQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {call, makeDummyQueue, makeTemporaryDirectory} from '../helpers/dummy-queue.js';

const makeScript = (text = 'true'): string => {
	const file = path.join(makeTemporaryDirectory(), 'work.sh');
	writeFileSync(file, `${text}\n`);
	return file;
};

const submitAndRead = async (words: readonly string[], options: Parameters<typeof call>[2] = {}): Promise<Job> => {
	const queue = makeDummyQueue();
	const called = await call(queue.qsubPath, words, options);
	expect(called).toMatchObject({stderr: '', exitCode: 0});
	return readQueueState(queue.directory).jobs[0]!;
};

describe('qsub answers', () => {
	test('with a sentence, or with the number alone', async () => {
		const {qsubPath} = makeDummyQueue({nextJobId: 41});
		const script = makeScript();
		expect(await call(qsubPath, ['-N', 'x', script])).toEqual({stdout: 'Your job 41 ("x") has been submitted\n', stderr: '', exitCode: 0});
		expect(await call(qsubPath, ['-terse', script])).toEqual({stdout: '42\n', stderr: '', exitCode: 0});
	});

	test('by taking a copy without extension that everybody can read', async () => {
		const script = makeScript('echo one');
		const {command} = await submitAndRead([script, 'a', 'b c']);
		writeFileSync(script, 'echo two');
		expect(command).toMatchObject({kind: 'script', original: script, arguments: ['a', 'b c']});
		expect(path.basename(command.path)).toBe('1');
		expect(readFileSync(command.path, 'utf8')).toBe('echo one\n');
		expect(statSync(command.path).mode & 0o777).toBe(0o755);
	});

	test('for every option of the library and its users', async () => {
		const cwd = makeTemporaryDirectory();
		const words = '-N a#1 -q short.q@node1 -S /bin/bash -o /o -e /e -j y -r n -cwd -l h_rt=60,mem=1G -h -P p -p -3 -pe smp 4';
		const more = '-notify -m ae -M me@home -shell n -R y -A account -w n -now n -b y sleep 1';
		const job = await submitAndRead([...words.split(' '), ...more.split(' ')], {cwd});
		expect(job).toMatchObject({
			JB_name: 'a#1',
			queue: 'short.q',
			state: 'hqw',
			JAT_prio: '0.00000',
			slots: 4,
			outputPath: '/o',
			errorPath: '/e',
			joinsOutput: true,
			workingDirectory: cwd,
			submitDirectory: cwd,
			userHold: true,
			command: {kind: 'binary', path: 'sleep', arguments: ['1'], shell: '/bin/bash', usesShell: false},
		});
		expect(job.requested.join(' ')).toBe(
			'-r n -l h_rt=60,mem=1G -P p -p -3 -pe smp 4 -notify -m ae -M me@home -R y -A account -w n -now n',
		);
	});

	test('by taking options from the script, which those of the command line override', async () => {
		const script = makeScript('#$ -N inner -j y\n#$ -q "deep.q"\n  #$ -h\n#!$ -h');
		expect(await submitAndRead(['-N', 'outer', script])).toMatchObject({JB_name: 'outer', joinsOutput: true, queue: 'deep.q', state: 'qw'});
	});

	test('by reading the script from its input', async () => {
		expect(await submitAndRead([], {input: 'echo hi\n'})).toMatchObject({JB_name: 'STDIN'});
	});

	test('by handing over the asked variables only', async () => {
		const env = {PATH: process.env.PATH, A: '1', B: 'x=y', NODE_OPTIONS: '--no-warnings'};
		expect((await submitAndRead(['-b', 'y', 'true'], {env})).environment).toEqual({});
		expect((await submitAndRead(['-v', 'A,C=2=3', '-b', 'y', 'true'], {env})).environment).toEqual({A: '1', C: '2=3'});
		expect((await submitAndRead(['-V', '-b', 'y', 'true'], {env})).environment).toMatchObject({
			A: '1',
			B: 'x=y',
			NODE_OPTIONS: '--no-warnings',
		});
	});
});

describe('qsub refuses, as Grid Engine does,', () => {
	const denied = (reason: string): string => `Unable to run job: ${reason}\nExiting.\n`;
	test.each([
		['-N 1x SCRIPT', 1, denied('denied: "1x" is not a valid object name (cannot start with a digit)')],
		['-N a:b SCRIPT', 1, denied("Colon (':') not allowed in objectname")],
		['-N a@b SCRIPT', 1, denied("At ('@') not allowed in objectname")],
		['-N a\\b SCRIPT', 1, denied("Backslash ('\\') not allowed in objectname")],
		['-N a*b SCRIPT', 1, denied("Asterisk ('*') not allowed in objectname")],
		['-N a?b SCRIPT', 1, denied("Questionmark ('?') not allowed in objectname")],
		['-N aéb SCRIPT', 1, denied('Error reading answer list from qmaster')],
		['-N all SCRIPT', 1, denied('Keyword ("ALL") not allowed as objectname')],
		[`-N ${'a'.repeat(513)} SCRIPT`, 1, denied('job name too long, maximum allowed length is 512 characters')],
		['-N a/b SCRIPT', 2, 'qsub: argument to -N option must not contain / \n'],
		['-zz SCRIPT', 2, 'qsub: invalid option argument "-zz"\n'],
		['-N', 2, 'qsub: -N option must have argument\n'],
		['-b y', 2, 'qsub: command required for a binary job\n'],
		['-r x SCRIPT', 7, 'qsub: invalid option argument "-r x"\n'],
		['-m z SCRIPT', 7, 'qsub: Wrong mail options list format "z" specified to -m option\n'],
		['-p x SCRIPT', 7, 'qsub: invalid priority "x".  Must be an integer from -1023 to 1024\n'],
		['/nonexistent.sh', 14, 'Unable to read script file because of error: error opening /nonexistent.sh: No such file or directory\n'],
		['', 4, 'Unable to read script file because of error: no input read from stdin\n'],
		['/dev/null', 1, denied('job rejected: no script in your request')],
		['-o a:b:c SCRIPT', 1, denied('can\'t resolve hostname "a"')],
		['-e /tmp/a,/tmp/b SCRIPT', 1, denied('ERROR! two files are specified for the same host')],
		['-q nope.q SCRIPT', 1, denied('Job was rejected because job requests unknown queue "nope.q"')],
		['-l foo=1 SCRIPT', 1, denied('unknown resource "foo"')],
		['-pe nope 2 SCRIPT', 1, denied('job rejected: the requested parallel environment "nope" does not exist')],
		['-P nope SCRIPT', 1, denied('job rejected: the requested project "nope" does not exist')],
		['-t 0-3 SCRIPT', 1, denied('job rejected: 0 is an invalid task id')],
		['-t 1-75001 SCRIPT', 1, denied('job rejected: you tried to submit a job with more than 75000 tasks')],
		['-tc 3 SCRIPT', 1, denied('invalid "task concurrency" value in job request')],
		['-t 1-3,5 SCRIPT', 7, 'qsub: -t option only allows one range specification\n'],
		['-t x SCRIPT', 7, 'qsub: Numerical value invalid!\nThe initial portion of string "x" contains no decimal number\n'],
		['-tc x -t 1-3 SCRIPT', 7, 'qsub: invalid task concurrency number "x". Must be an integer greater or equal to 0.\n'],
		['-now yes SCRIPT', 1, denied('the dummy queue has no -now y')],
	])('%s', async (line, exitCode, stderr) => {
		const known = {queues: ['all.q'], resources: ['h_rt'], parallelEnvironments: [], projects: []};
		const queue = makeDummyQueue({known});
		const words = line === '' ? [] : line.split(' ').map(word => (word === 'SCRIPT' ? makeScript() : word));
		expect(await call(queue.qsubPath, words)).toEqual({stdout: '', stderr, exitCode});
		expect(readQueueState(queue.directory)).toMatchObject({jobs: [], nextJobId: 1});
	});

	test('an empty name', async () => {
		const {qsubPath} = makeDummyQueue();
		expect((await call(qsubPath, ['-N', '', makeScript()])).stderr).toBe(denied('job rejected cause there is no job_name in the request'));
	});
});
