/** What is mapped in the measurements. */
import {setTimeout as sleep} from 'node:timers/promises';

/** Next to nothing, so that all that is measured is the way there and back. */
export const double = (/** @type {number} */ x) => 2 * x;

/** A small object of a few fields. */
export const describe = (/** @type {number} */ id) => ({id, v: id / 2});

export const wait = async (/** @type {number} */ ms) => {
	await sleep(ms);
	return ms;
};

/** As many bytes out as in. */
export const copy = (/** @type {Uint8Array} */ bytes) => new Uint8Array(bytes);
