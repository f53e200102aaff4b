/** What the command `qmr` wants to know of a map, and to say about it, beyond what a program does. */
import type {JournalEvent} from './journal.js';
import type {Manifest} from './manifest.js';

export type MapHooks = {
	/** Takes what the map has to say to people, instead of stderr. */
	readonly tell?: (line: string) => void;
	/** Goes into its run.json. */
	readonly commandRun?: Manifest['commandRun'];
	/** Its work_dir is there. */
	readonly onWorkDir?: (workDir: string) => void;
	/** What is noted in log.jsonl, when it is noted. */
	readonly onEvent?: (event: JournalEvent) => void;
	/** Called when all its outcomes are taken. Until it resolves the work_dir stays. */
	readonly beforeEnd?: () => Promise<void>;
	/** A further reason to keep the work_dir of a map that has succeeded, asked for when all its outcomes are taken; undefined for none. */
	readonly whyKeep?: () => string | undefined;
};
