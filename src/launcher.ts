/**
 * launch.sh: the script that is submitted. The scheduler copies it, readable by everyone, to every node, and may feed it to a shell's
 * stdin. So no value of the environment is in it, and its work is done by a function that is called on the last line.
 */
import {dirname, join} from 'node:path';
import {EXIT_CODES} from './exit-codes.js';
import {ENVIRONMENT_RECORD, ENVIRONMENT_SCRIPT, MANIFEST, WORKER_SCRIPT} from './layout.js';
import {addressSpaceBeforeHeap, OWN_MAJOR} from './node-memory.js';
import {quoteForShell} from './quote-for-shell.js';

export type LauncherOptions = {
	/** Absolute. */
	readonly workDir: string;
	/** Where tasks run: the caller's working directory. */
	readonly cwd: string;
	/** A path, or a name to be found on the tasks' PATH. */
	readonly nodePath: string;
	readonly nodeArguments: readonly string[];
	/** The caller's, for the files that tasks make. */
	readonly umask: number;
	/** Whether a task that crashes may leave a core file, as far as the worker-node lets it. */
	readonly coreFiles: boolean;
	/** Names of further files in the work_dir without which a worker can't begin. */
	readonly moreFiles?: readonly string[];
};

/** Together a minute: a network file system shows a new file that late at worst. */
const WAITS_SECONDS = [1, 1, 2, 3, 5, 8, 13, 27];

/** A work_dir and the directories above it may be as new as its files. To list a directory refreshes what this host knows of it. */
const NUM_LISTED = 3;

/** Of the memory, for the old space of V8's heap. The rest is for its young space, code, Buffers, and what the task's child processes need. In integers, as shells compute. */
const HEAP_SHARE = '* 3 / 4';

/** Node and a small task need that much; with less it would end by garbage collection that gains nothing. */
const LEAST_HEAP_MIB = 64;

/** The most that V8 takes by itself, on a large machine. */
const DEFAULT_HEAP_MIB = 4096;

/** Up to Node 23 WebAssembly (and so fetch) reserves 10 GB of address space for each memory without this; later ones do without by themselves. */
const WASM_ARGUMENT = OWN_MAJOR < 24 ? '--disable-wasm-trap-handler' : '';

/** Who types it by hand has said so by a limit of his own. Only the soft limit: a task may lift it. */
const NO_CORE_FILES = `
	# As the caller's limit is. Queues of Grid Engine lift it, and each crash would leave hundreds of megabytes in the working directory.
	[ -n "$qmr_again" ] || ulimit -S -c 0 2>/dev/null`;

/** The text of launch.sh. */
export const createLauncher = ({workDir, cwd, nodePath, nodeArguments, umask, coreFiles, moreFiles = []}: LauncherOptions): string => {
	const files = [MANIFEST, ENVIRONMENT_SCRIPT, ENVIRONMENT_RECORD, WORKER_SCRIPT, ...moreFiles].join(' ');
	const listed = withParents(workDir, NUM_LISTED).map(directory => `${quoteForShell(directory)}/*`);
	const command = [...nodeArguments, join(workDir, WORKER_SCRIPT), workDir].map(quoteForShell);
	const code = EXIT_CODES;
	return `#!/bin/sh
# Computes one chunk of tasks. A queue-job does it by
#   sh launch.sh ICHUNK ATTEMPT
# which goes on behind what earlier attempts have finished. An element of an array does it by
#   sh launch.sh ICHUNK ATTEMPT VARIABLE
# where ICHUNK is the chunk of element 1, and VARIABLE is the name of the scheduler's variable with the number of this element; - for none.
# One that was given memory has its MiB as the fourth argument, from which follows how large the heap of V8 may become.
# Anyone can do all of it again, as the next attempt that is free, by typing
#   sh launch.sh ICHUNK
# Exit codes: ${code.usage} wrong arguments, ${code.filesMissing} files can't be read, ${code.directoryMissing} no working directory, ${code.outputRefused} output files refused,
# ${code.outputFailed} outcomes can't be written, ${code.internal} fault of the worker program, 126 and 127 node can't be executed or found.

# A login shell has run the site's and the user's profile before: undo what would change this script.
\\unalias -a 2>/dev/null
unset -f cd printf sleep true ulimit umask
set +a +e +f +u +C
umask 077

qmr_fail() { # EXIT_CODE SENTENCE
	printf 'launch.sh: %s\\n' "$2" >&2
	exit "$1"
}

# Sets qmr_missing to the first file that can't be read. Opening says more than a test does on a network file system.
qmr_look() {
	for qmr_missing in ${files} "$qmr_name.tasks"; do
		{ true <"$qmr_dir/$qmr_missing"; } 2>/dev/null || return
	done
	qmr_missing=
}

# Sets qmr_attempt to one more than the highest in this chunk's file names.
qmr_count() {
	qmr_attempt=0
	for qmr_file in "$qmr_dir/$qmr_name".*; do
		qmr_file=\${qmr_file##*/}
		qmr_file=\${qmr_file#*.}
		qmr_file=\${qmr_file%%.*}
		case $qmr_file in
		'' | *[!0-9]*) ;;
		*) [ "$qmr_file" -le "$qmr_attempt" ] || qmr_attempt=$qmr_file ;;
		esac
	done
	qmr_attempt=$((qmr_attempt + 1))
}

# Makes .e and .o, which must be new, and writes there from now on. Appending, so that a task may truncate /dev/stdout.
qmr_redirect() {
	qmr_file=$qmr_dir/$qmr_name.$qmr_attempt
	set -C
	{ true >"$qmr_file.e" && true >"$qmr_file.o"; } 2>/dev/null || qmr_fail ${code.outputRefused} "attempt $qmr_attempt was begun before, or these files can't be made: $qmr_file.e, $qmr_file.o"
	set +C
	exec >>"$qmr_file.o" 2>>"$qmr_file.e"
}

# Sets qmr_heap to how many MiB V8's heap may have, and qmr_wasm to what WebAssembly needs. Otherwise V8 plans with the memory of the whole machine, and where the
# address space is limited (h_vmem) it crashes when that is used up, or WebAssembly can't reserve what it wants.
qmr_plan_memory() {
	qmr_heap=
	qmr_wasm=
	[ -z "$qmr_memory" ] || qmr_heap=$((qmr_memory ${HEAP_SHARE}))
	qmr_limit=$(ulimit -v 2>/dev/null)
	case $qmr_limit in
	'' | *[!0-9]*) ;;
	*)
		qmr_wasm=${WASM_ARGUMENT}
		qmr_limit=$(((qmr_limit / 1024 - ${addressSpaceBeforeHeap(OWN_MAJOR)}) ${HEAP_SHARE}))
		# Of who asked for no memory the heap is only made smaller.
		[ "\${qmr_heap:-${DEFAULT_HEAP_MIB}}" -le "$qmr_limit" ] || qmr_heap=$qmr_limit
		;;
	esac
	[ "\${qmr_heap:-${LEAST_HEAP_MIB}}" -ge ${LEAST_HEAP_MIB} ] || qmr_heap=${LEAST_HEAP_MIB}
}

qmr_main() {
	qmr_variable=\${3--}
	case $#,\${1-},\${2-1},$qmr_variable,\${4-1} in
	[1234],[0-9]*,[1-9]*,[-A-Za-z_]*,[1-9]*) ;;
	*) qmr_fail ${code.usage} 'expected ICHUNK [ATTEMPT [VARIABLE [MEMORY_MIB]]]' ;;
	esac
	case $1\${2-}\${4-} in
	*[!0-9]*) qmr_fail ${code.usage} 'expected ICHUNK [ATTEMPT [VARIABLE [MEMORY_MIB]]], all but VARIABLE whole numbers' ;;
	esac
	[ "$qmr_variable" != - ] || qmr_variable=
	case $qmr_variable in
	*[!A-Za-z0-9_]*) qmr_fail ${code.usage} 'expected ICHUNK [ATTEMPT [VARIABLE [MEMORY_MIB]]], VARIABLE the name of a variable or -' ;;
	esac
	qmr_dir=${quoteForShell(workDir)}
	qmr_attempt=\${2-}
	qmr_memory=\${4-}
	qmr_again=
	qmr_ichunk=$1
	while [ "$qmr_ichunk" != "\${qmr_ichunk#0?}" ]; do qmr_ichunk=\${qmr_ichunk#0}; done
	if [ -n "$qmr_variable" ]; then
		# Only a name by now: eval sees nothing else of it.
		eval "qmr_element=\\\${$qmr_variable-}"
		case $qmr_element in
		[1-9]*) ;;
		*) qmr_element=x ;;
		esac
		case $qmr_element in
		*[!0-9]*) qmr_fail ${code.usage} "expected the number of an element of an array in the variable $qmr_variable" ;;
		esac
		qmr_ichunk=$((qmr_ichunk + qmr_element - 1))
	fi
	qmr_name=$qmr_ichunk
	while [ "\${#qmr_name}" -lt 9 ]; do qmr_name=0$qmr_name; done

	for qmr_seconds in ${WAITS_SECONDS.join(' ')} 0; do
		qmr_look
		# Who types it by hand need not wait: the files of a map that is done are there, or not.
		[ -n "$qmr_missing" ] && [ -n "$qmr_attempt" ] || break
		: ${listed.join(' ')}
		sleep "$qmr_seconds"
	done
	if [ -n "$qmr_missing" ]; then
		# Said in .e too, if that can be: the scheduler throws away what is said here.
		[ -z "$qmr_attempt" ] || [ ! -d "$qmr_dir" ] || qmr_redirect
		qmr_fail ${code.filesMissing} "can't read $qmr_missing in $qmr_dir on this host"
	fi
	if [ -z "$qmr_attempt" ]; then
		qmr_count
		qmr_again=again
		printf 'chunk %s, attempt %s: see %s.*\\n' "$qmr_ichunk" "$qmr_attempt" "$qmr_dir/$qmr_name.$qmr_attempt"
	fi
	qmr_redirect

	umask ${umask.toString(8).padStart(4, '0')}${coreFiles ? '' : NO_CORE_FILES}
	cd ${quoteForShell(cwd)} 2>/dev/null || qmr_fail ${code.directoryMissing} "can't enter the working directory on this host: "${quoteForShell(cwd)}
	# From here on no name and no program but node: all that follows are the caller's variables.
	qmr_plan_memory
	set -- "\${qmr_heap:+--max-old-space-size=$qmr_heap}" "$qmr_wasm" "$qmr_ichunk" "$qmr_attempt" \${qmr_again:+again}
	unset qmr_again qmr_attempt qmr_dir qmr_element qmr_file qmr_heap qmr_ichunk qmr_limit qmr_memory qmr_missing qmr_name qmr_seconds qmr_variable qmr_wasm
	. ${quoteForShell(join(workDir, ENVIRONMENT_SCRIPT))}
	# What the caller says of the heap in NODE_OPTIONS counts: an argument would win over it.
	case \${NODE_OPTIONS-} in
	*max[-_]old[-_]space[-_]size* | *max[-_]heap[-_]size*)
		shift
		set -- '' "$@"
		;;
	esac
	exec ${quoteForShell(nodePath)} \${1:+"$1"} \${2:+"$2"} ${command.join(' ')} "$3" "$4" \${5:+"$5"} </dev/null
}

qmr_main "$@"
`;
};

const withParents = (directory: string, count: number): string[] =>
	count === 0 || dirname(directory) === directory ? [] : [directory, ...withParents(dirname(directory), count - 1)];
