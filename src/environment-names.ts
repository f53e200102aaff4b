/**
 * Which environment variables belong to the queue-job, to the shell, and to the start of a program. Both sides use these lists: the
 * process-node when it writes the environment down, the worker-node when it takes it over.
 */

/**
 * The queue-job's own: set by the scheduler, by the login session or by the job's shell. Never taken from the caller, never removed.
 * REQNAME, ARC, … are Grid Engine's.
 */
const OWNED_BY_THE_JOB =
	/^(?:(?:SGE|SLURM|SLURMD|PBS|LSB|PE)_.*|JOB_(?:ID|NAME|SCRIPT)|PE|NSLOTS|NQUEUES|NHOSTS|QUEUE|REQUEST|REQNAME|ARC|ENVIRONMENT|RESTARTED|TMPDIR|TMP|TEMP|HOSTNAME|PWD|OLDPWD|SHLVL|_|CUDA_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK|XDG_RUNTIME_DIR|XDG_SESSION_ID|DBUS_SESSION_BUS_ADDRESS)$/;

export const isOwnedByJob = (name: string): boolean => OWNED_BY_THE_JOB.test(name);

/** They tie one process to its parent or to a test run. A worker that inherits one waits for a channel that nobody opened. */
export const TIES_TO_A_PARENT: readonly string[] = [
	'NODE_CHANNEL_FD',
	'NODE_CHANNEL_SERIALIZATION_MODE',
	'NODE_UNIQUE_ID',
	'NODE_TEST_CONTEXT',
];

/**
 * What sbatch leaves in a queue-job when `--export` names anything but all, as in a user's `sbatchArgs`: srun and sbatch in a task would obey it. The scheduler's own, but for nobody's use.
 */
export const LEFT_BY_SUBMISSION: readonly string[] = ['SLURM_EXPORT_ENV', 'SLURM_GET_USER_ENV'];

/** `A.B` aborts dash, `1X` is no assignment: only such names can stand in `export NAME=`. */
const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Names that mean something to some `sh` (dash, bash, ksh, mksh, zsh, busybox): read-only ones abort the script (UID), some change how it
 * goes on (IFS, POSIXLY_CORRECT, FUNCNEST), some give back another value than was put in (RANDOM, SECONDS, LINES).
 */
const OWNED_BY_A_SHELL =
	/^(?:BASH.*|COMP_.*|READLINE_.*|ZSH_.*|KSH.*|TRY_BLOCK_.*|EPOCH.*|HIST.*|MAIL.*|PS[1-4]|E?[GU]ID|PPID|PGRP|USER_ID|USERNAME|SHELLOPTS|IFS|ENV|FPATH|CDPATH|OPTIND|OPTARG|OPTERR|LINENO|S?RANDOM|SECONDS|FUNCNAME|FUNCNEST|GROUPS|DIRSTACK|PIPESTATUS|EXECIGNORE|GLOBIGNORE|CHILD_MAX|POSIXLY_CORRECT|TMOUT|COLUMNS|LINES|FIGNORE|JOBMAX|PATHSEP|TTY|TTYIDLE|SAVEHIST|LISTMAX|KEYTIMEOUT)$/;

/** Whether every shell exports the variable as it is, with no effect on itself. */
export const isExportable = (name: string): boolean => SHELL_NAME.test(name) && !OWNED_BY_A_SHELL.test(name);

/** bash, ksh and mksh say so on stderr when the worker-node lacks the locale. Not our task's output, so those lines are silenced. */
export const isLocale = (name: string): boolean => /^(?:LANG|LC_.*)$/.test(name);

/**
 * Read when a program starts, by the loader, the C library, ICU, OpenSSL or Node: to remove them from within the worker is too late. So
 * the launcher unsets what only the site has set.
 */
export const READ_AT_START: readonly string[] = [
	'LD_PRELOAD',
	'LD_LIBRARY_PATH',
	'LD_AUDIT',
	'LD_BIND_NOW',
	'LD_DEBUG',
	'GLIBC_TUNABLES',
	'MALLOC_ARENA_MAX',
	'MALLOC_CHECK_',
	'MALLOC_PERTURB_',
	'TZ',
	'LANG',
	'LANGUAGE',
	'LC_ALL',
	'LC_COLLATE',
	'LC_CTYPE',
	'LC_MESSAGES',
	'LC_MONETARY',
	'LC_NUMERIC',
	'LC_TIME',
	'OPENSSL_CONF',
	'OPENSSL_MODULES',
	'SSL_CERT_DIR',
	'SSL_CERT_FILE',
	'UV_THREADPOOL_SIZE',
	'UV_USE_IO_URING',
	'NODE_COMPILE_CACHE',
	'NODE_DEBUG',
	'NODE_DEBUG_NATIVE',
	'NODE_EXTRA_CA_CERTS',
	'NODE_ICU_DATA',
	'NODE_NO_WARNINGS',
	'NODE_OPTIONS',
	'NODE_PATH',
	'NODE_PENDING_DEPRECATION',
	'NODE_PRESERVE_SYMLINKS',
	'NODE_PRESERVE_SYMLINKS_MAIN',
	'NODE_REDIRECT_WARNINGS',
	'NODE_TLS_REJECT_UNAUTHORIZED',
	'NODE_USE_ENV_PROXY',
	'NODE_USE_SYSTEM_CA',
	'NODE_V8_COVERAGE',
];
