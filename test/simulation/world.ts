/** What all parts of a simulated world share. */
import type {Dice} from './dice.js';
import type {Disk} from './disk.js';
import type {EventQueue} from './event-queue.js';
import type {FaultKind} from './faults.js';
import type {Scenario} from './scenario.js';

export type World = {
	readonly seed: number;
	readonly scenario: Scenario;
	readonly events: EventQueue;
	readonly dice: Dice;
	readonly disk: Disk;
	/** A fault has happened. */
	readonly fault: (kind: FaultKind, what?: string) => void;
	/** Whether a fault that the scenario has is to happen now; never once the world has come to rest. */
	readonly strikes: (kind: FaultKind, dice: Dice) => boolean;
	/** Whether nothing goes wrong any more. */
	readonly isCalm: () => boolean;
	readonly becomeCalm: () => void;
	/** A promise was broken. */
	readonly offend: (promise: string, what: string) => void;
	readonly trace: (who: string, what: string) => void;
};

/** The epoch milliseconds at which every simulated world begins. */
export const EPOCH_MS: number = Date.UTC(2026, 10, 21);

export const WORK_DIR = '/shared/map';

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
