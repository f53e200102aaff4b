import type {Answer} from './answer.js';
import {type ProgramFault, takeProgramFault} from './faults.js';
import type {ProgramName} from './state.js';
import {appendCall, onRemoval, updateQueueState} from './store.js';

// The one program behind the executables qsub, qstat, qdel, qacct, qalter and qconf: `program.cjs DIRECTORY NAME ARGUMENT…`.

const main = async (directory: string, name: string, words: readonly string[]): Promise<void> => {
	const question = name === 'qstat' && ['-j', '-F'].find(option => words.includes(option));
	const program = (question ? `${name} ${question}` : name) as ProgramName;
	appendCall(directory, program, words);
	const fault = updateQueueState(directory, state => {
		state.calls[program] += 1;
		return takeProgramFault(state.faults, program);
	});
	if (!isFatal(fault)) {
		print(spoil(await run(directory, program, words), fault));
		return;
	}

	if (fault.effect === 'done') {
		await run(directory, program, words);
	}

	if (fault.kind === 'fail') {
		print({stdout: fault.stdout ?? '', stderr: fault.stderr ?? '', exitCode: fault.exitCode});
	} else {
		// The watch keeps the process alive until it is killed or the queue is gone.
		onRemoval(directory, () => undefined);
	}
};

const isFatal = (fault: ProgramFault | undefined): fault is ProgramFault & {kind: 'fail' | 'hang'} =>
	fault?.kind === 'fail' || fault?.kind === 'hang';

/** Each program loads only what it needs: a call costs little more than the start of Node. */
const run = async (directory: string, program: ProgramName, words: readonly string[]): Promise<Answer> => {
	switch (program) {
		case 'qsub':
			return (await import('./qsub.js')).qsub(directory, words);
		case 'qstat':
		case 'qstat -j':
		case 'qstat -F':
			return (await import('./qstat.js')).qstat(directory, words);
		case 'qdel':
			return (await import('./qdel.js')).qdel(directory, words);
		case 'qacct':
			return (await import('./qacct.js')).qacct(directory, words);
		case 'qalter':
			return (await import('./qalter.js')).qalter(directory, words);
		case 'qconf':
			return (await import('./qconf.js')).qconf(directory, words);
	}
};

const STALE_LIST = /(<(?:queue_info|job_info)>).*?(\n {2}<\/(?:queue_info|job_info)>)/gs;

const spoil = (answer: Answer, fault: ProgramFault | undefined): Answer => {
	switch (fault?.kind) {
		case 'warning':
			return {...answer, stderr: `${fault.stderr}\n${answer.stderr}`};
		case 'output':
			return {...answer, stdout: fault.stdout};
		case 'cut-output':
			return {...answer, stdout: Buffer.from(answer.stdout).subarray(0, fault.bytes).toString()};
		case 'stale-list':
			return {...answer, stdout: answer.stdout.replaceAll(STALE_LIST, '$1$2')};
		default:
			return answer;
	}
};

const print = ({stdout, stderr, exitCode}: Answer): void => {
	process.stdout.write(stdout);
	process.stderr.write(stderr);
	process.exitCode = exitCode;
};

const [directory, name, ...words] = process.argv.slice(2);
// Not awaited at top level: it is bundled as CommonJS, which starts sooner.
void main(directory!, name!, words);
