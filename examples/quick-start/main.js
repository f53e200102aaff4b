/** Sums of lists: the smallest program there is. On a cluster every list becomes a queue-job. */
import {isDeepStrictEqual} from 'node:util';
import {Pool} from 'queue-map-reduce';

/** @type {(numbers: readonly number[]) => number} */
const sum = numbers => numbers.reduce((total, number) => total + number, 0);

const lists = Array.from({length: 10}, (_, i) => Array.from({length: 100}, (_, j) => i + j));

const pool = new Pool();
const sums = await pool.map(sum, lists);

console.log(sums.join(' '));
console.log(isDeepStrictEqual(sums, lists.map(sum)) ? 'Computed here they are the same.' : 'Computed here they are others!');
