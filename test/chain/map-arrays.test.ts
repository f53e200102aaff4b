/** Whole maps on every engine, their chunks as arrays. */
import {describe} from 'vitest';
import {describeMaps} from '../helpers/describe-maps.js';
import {COLUMNS} from '../helpers/engines.js';

describe.each(COLUMNS.filter(([, {arrayJobs}]) => arrayJobs))('on %s', (_name, column) => describeMaps(column));
