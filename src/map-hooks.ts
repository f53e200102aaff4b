/** What the command `qmr` wants to know of a map, and to say about it, beyond what a program does. */
import type {JournalEvent} from './journal.js';

export type MapHooks = {
	/** Takes what the map has to say to people, instead of stderr. */
	readonly tell?: (line: string) => void;
	/** Its work_dir is there. */
	readonly onWorkDir?: (workDir: string) => void;
	/** What is noted in log.jsonl, when it is noted. */
	readonly onEvent?: (event: JournalEvent) => void;
	/** A further reason to keep the work_dir of a map that has succeeded, asked for when all its outcomes are taken; undefined for none. */
	readonly whyKeep?: () => string | undefined;
};
