import type {ArrayJobs, JobRequest} from '../src/index.js';
import {type Case, hold, put, type Workbench, waitFor} from './workbench.js';

type SubmittedArray = {readonly arrays: ArrayJobs; readonly name: string; readonly ids: readonly string[]};

/** A script, for each of so many elements; `$k` in it is the number of the element. */
const submitArray = async (
	{engine, request}: Workbench,
	script: string,
	{numElements, maxRunning, ...more}: {readonly numElements: number; readonly maxRunning?: number} & Partial<JobRequest>,
): Promise<SubmittedArray> => {
	const {arrays} = engine;
	if (arrays === undefined) throw new Error('The engine has no arrays.');
	const one = request(`k=$${arrays.elementVariable}\n${script}`, more);
	const outcome = await arrays.submit({...one, numElements, maxRunning});
	if (outcome.kind !== 'submitted') throw new Error(`An array was not taken: ${JSON.stringify(outcome)}`);
	const ids = Array.from({length: numElements}, (_, i) => arrays.elementId(outcome.id, i + 1));
	hold(new Set(ids).size === numElements, `Expected an id of its own for each element, got ${ids.join(', ')}.`);
	return {arrays, name: one.name, ids};
};

const allWritten = ({until, read}: Workbench, files: readonly string[]): Promise<true> =>
	until(`the files ${files.join(', ')}`, () => files.every(file => read(file) !== undefined) || undefined);

const hasArrays: NonNullable<Case['canBeTried']> = ({arrays}) => arrays !== undefined;

export const arrayCases: readonly Case[] = [
	{
		title: 'the elements of an array are numbered from 1, run once each, and get the same arguments',
		canBeTried: hasArrays,
		body: async bench => {
			const {ids} = await submitArray(bench, 'echo "$k $*" >>"ran-$k"', {numElements: 5, scriptArguments: ['7', 'x']});
			await bench.untilGone(...ids);
			await allWritten(bench, ['ran-1', 'ran-2', 'ran-3', 'ran-4', 'ran-5']);
			const got = [1, 2, 3, 4, 5].map(k => bench.read(`ran-${k}`));
			hold(
				got.every((text, i) => text === `${i + 1} 7 x\n`),
				`Expected each element to write its number and the arguments 7 and x once, got ${JSON.stringify(got)}.`,
			);
			hold(bench.read('ran-0') === undefined && bench.read('ran-6') === undefined, 'Expected elements 1 to 5, got another one.');
		},
	},
	{
		title: 'every element is listed by its id, with the name of the array and its number, from the moment the submission is answered',
		canBeTried: hasArrays,
		body: async bench => {
			await bench.engine.status();
			const {ids, name} = await submitArray(bench, waitFor('go'), {numElements: 4});
			await bench.until(`a listing with ${ids.join(', ')} as elements 1 to 4 of ${name}`, listing => {
				const areListed = ids.every((id, i) => listing?.some(job => job.id === id && job.name === name && job.element === i + 1));
				return areListed || undefined;
			});
			bench.write('go');
			await bench.untilGone(...ids);
		},
	},
	{
		title: 'of an array no more elements run at a time than `maxRunning`',
		canBeTried: hasArrays,
		body: async bench => {
			const count = 'set -- running-*; echo $# >"count-$k.part"; mv "count-$k.part" "count-$k"';
			const script = `: >"running-$k"; ${count}; sleep 1; rm "running-$k"`;
			const {ids} = await submitArray(bench, script, {numElements: 5, maxRunning: 2});
			await bench.untilGone(...ids);
			const files = [1, 2, 3, 4, 5].map(k => `count-${k}`);
			await allWritten(bench, files);
			const counts = files.map(file => Number(bench.read(file)));
			hold(Math.max(...counts) <= 2, `Expected 2 elements at a time, got ${Math.max(...counts)}.`);
		},
	},
	{
		title: 'a single element of an array is removed by its id, and the others go on',
		canBeTried: hasArrays,
		body: async bench => {
			const {ids} = await submitArray(bench, `${put('"begun-$k"', 'echo')}; ${waitFor('go')}; ${put('"ended-$k"', 'echo')}`, {
				numElements: 3,
			});
			await allWritten(bench, ['begun-1', 'begun-2', 'begun-3']);
			await bench.engine.remove([ids[1] as string]);
			await bench.untilGone(ids[1] as string);
			bench.write('go');
			await allWritten(bench, ['ended-1', 'ended-3']);
			await bench.untilGone(...ids);
			hold(bench.read('ended-2') === undefined, 'Expected element 2 to be removed, got one that went on.');
		},
	},
	{
		title: 'several elements of an array are removed by one call, also when some of them have ended, and the others go on',
		canBeTried: hasArrays,
		body: async bench => {
			const script = `[ "$k" = 1 ] || { ${put('"begun-$k"', 'echo')}; ${waitFor('go')}; ${put('"ended-$k"', 'echo')}; }`;
			const {ids} = await submitArray(bench, script, {numElements: 4});
			const [ended, second, third, fourth] = ids as [string, string, string, string];
			await allWritten(bench, ['begun-2', 'begun-3', 'begun-4']);
			await bench.untilGone(ended);
			await bench.engine.remove([ended, second, fourth]);
			await bench.untilGone(second, fourth);
			bench.write('go');
			await allWritten(bench, ['ended-3']);
			await bench.untilGone(third);
			const gone = [2, 4].filter(k => bench.read(`ended-${k}`) === undefined);
			hold(gone.length === 2, 'Expected elements 2 and 4 to be removed, got one that went on.');
		},
	},
	{
		title: 'an array may have at least two elements, by a whole number',
		canBeTried: hasArrays,
		body: async ({engine}) => {
			const number = await engine.arrays?.maxElements();
			hold(Number.isSafeInteger(number) && (number as number) >= 2, `Expected a whole number from 2 on, got ${number}.`);
		},
	},
];
