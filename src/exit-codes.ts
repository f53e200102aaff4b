/**
 * With what code a queue-job of ours ends when it could not do its work. 126 and 127 are the shell's: node can't be executed or found. Never 99 or 100, by
 * which Grid Engine would queue the job again or put it into an error state.
 */
export const EXIT_CODES = {
	/** The arguments are not `ICHUNK [ATTEMPT]`. */
	usage: 64,
	/** After a minute the files of the work_dir still can't be read on this host. */
	filesMissing: 66,
	/** A fault of the worker program itself. */
	internal: 70,
	/** The caller's working directory can't be entered on this host. */
	directoryMissing: 72,
	/** The files of this attempt can't be made, or are there already: it was begun before. */
	outputRefused: 73,
	/** The outcomes can't be written: no space is left, a quota is exceeded, or the file system is out of order. */
	outputFailed: 74,
} as const;
