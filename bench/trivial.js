/** The task of the measurements: next to nothing, so that all that is measured is the way there and back. */
export const double = (/** @type {number} */ x) => 2 * x;
