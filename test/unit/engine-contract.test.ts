/** Every case of the contract finds an engine that does not keep its promise. */
import {spawn} from 'node:child_process';
import {engineContract} from 'queue-map-reduce/engine-contract';
import {describe, expect, onTestFinished, test} from 'vitest';
import type {ArrayJobs, Engine, JobRequest, JobStatus, SubmitOutcome} from '../../src/engines/engine.js';
import {createLocalEngine} from '../../src/engines/local.js';

/** Cases end long before this, on a busy machine, too; … */
const TIMEOUT_MS = 60_000;
/** … but those that in the end wait in vain end after this. */
const VAIN_MS = 8000;

const waitsFor = (what: string): RegExp => new RegExp(`Waited ${VAIN_MS / 1000} s for .*${what}`);

const createGood = (): Engine => ({...createLocalEngine({slots: 6}), name: 'mine'});

/** Arrays of one queue-job per element, each with its number as a variable of the shell. */
const createArrays = ({submit}: Engine, change: Partial<ArrayJobs> = {}, first = 1): ArrayJobs => {
	let numArrays = 0;
	const ids = new Map<string, string>();
	return {
		elementVariable: 'K',
		maxElements: async () => 100,
		elementId: (id, element) => ids.get(`${id}.${element}`) as string,
		submit: async request => {
			const id = `array-${++numArrays}`;
			for (let element = 1; element <= request.numElements; element++) {
				const [outcome] = await submit([withElement(request, first + element - 1)]);
				if (outcome?.kind === 'submitted') ids.set(`${id}.${element}`, outcome.id);
			}
			return {kind: 'submitted', id};
		},
		...change,
	};
};
const withElement = (request: JobRequest, element: number): JobRequest => inShell(request, `K=${element}; export K;`);

/** The request, begun by something else than it says. */
const inShell = (request: JobRequest, prefix: string, command = 'exec /bin/sh "$@"'): JobRequest => {
	const {script, scriptArguments} = request;
	return {...request, script: '-c', scriptArguments: [`${prefix} ${command}`, 'sh', script, ...scriptArguments]};
};

const on = (engine: Engine, change: (request: JobRequest, i: number) => JobRequest): Partial<Engine> => ({
	submit: requests => engine.submit(requests.map(change)),
});
const listing = (engine: Engine, change: (job: JobStatus, i: number) => JobStatus): Partial<Engine> => ({
	status: async () => (await engine.status()).map(change),
});

const refusing = (outcome: (i: number) => SubmitOutcome): Partial<Engine> => ({
	submit: async requests => requests.map((_, i) => outcome(i)),
});

/** Ended queue-jobs stay in what this one lists. */
const keepingEnded = ({submit, status}: Engine): Partial<Engine> => {
	const known = new Map<string, string>();
	return {
		submit: async requests => {
			const outcomes = await submit(requests);
			for (const [i, outcome] of outcomes.entries())
				if (outcome.kind === 'submitted') known.set(outcome.id, (requests[i] as JobRequest).name);
			return outcomes;
		},
		status: async () => {
			const living = await status();
			const ended = [...known].filter(([id]) => !living.some(job => job.id === id));
			return [...living, ...ended.map(([id, name]): JobStatus => ({id, name, state: 'running', rawState: 'r', host: 'h'}))];
		},
	};
};

/** It answers what was so when it was last asked. */
const lagging = ({status}: Engine): Partial<Engine> => {
	let before: readonly JobStatus[] = [];
	return {
		status: async () => {
			const answer = before;
			before = await status();
			return answer;
		},
	};
};

type Mutant = readonly [promise: string, title: string, break_: (good: Engine) => Partial<Engine>, words: RegExp];

const MUTANTS: readonly Mutant[] = [
	[
		'a queue-job is /bin/sh with',
		'drops an argument',
		good => on(good, r => ({...r, scriptArguments: r.scriptArguments.slice(1)})),
		/got \["8"/,
	],
	[
		'a queue-job is /bin/sh with',
		'splits them at blanks',
		good => on(good, r => inShell(r, '', 'set -f; exec /bin/sh "$1" $2 $3 $4 $5 $6')),
		/Expected the script/,
	],
	[
		'a queue-job is /bin/sh with',
		'executes the script',
		good => on(good, r => inShell(r, '', 'exec "$@"')),
		waitsFor('the file arguments'),
	],
	[
		'a submission has one outcome',
		'turns the order round',
		good => ({submit: async r => [...(await good.submit(r))].reverse()}),
		waitsFor('a listing with'),
	],
	[
		'a submission has one outcome',
		'forgets the last',
		good => ({submit: async r => (await good.submit(r)).slice(1)}),
		/4 outcomes for 5 requests/,
	],
	[
		'a submission has one outcome',
		'gives one id',
		good => ({submit: async r => (await good.submit(r)).map((o, _, [first]) => first ?? o)}),
		/Expected ids that differ/,
	],
	[
		'a submission has one outcome',
		'never answers',
		() => ({submit: () => new Promise(() => undefined)}),
		waitsFor('an answer of `submit`'),
	],
	[
		'a submission has one outcome',
		'takes none',
		() => ({submit: async r => r.map(() => ({kind: 'full', reason: 'no room'}))}),
		/not taken: .*no room/,
	],
	[
		'two submissions at once',
		'has one memory for all',
		good => {
			let last: readonly SubmitOutcome[] = [];
			return {
				submit: async requests => {
					last = await good.submit(requests);
					await Promise.resolve();
					return last;
				},
			};
		},
		/Expected ids that differ/,
	],
	['no request gets no outcome', 'gives one', () => ({submit: async () => [{kind: 'temporary', reason: 'what?'}]}), /what\?/],
	['every queue-job runs', 'runs them twice', good => on(good, r => inShell(r, '/bin/sh "$@";')), /got 2, 2, 2/],
	['every queue-job runs', 'runs none', good => on(good, r => inShell(r, '', 'exit 0')), waitsFor('a file of each queue-job')],
	[
		'hosts to be avoided',
		'has no other host and waits',
		good => on(good, r => (r.avoidHosts.length === 0 ? r : inShell(r, '', 'sleep 60'))),
		waitsFor('the file ran'),
	],
	['a queue-job that is refused', 'takes it', () => ({}), /Expected an outcome that is permanent/],
	[
		'a queue-job that is refused',
		'says nothing',
		() => refusing(() => ({kind: 'permanent', reason: ''})),
		/Expected an outcome that is permanent/,
	],
	[
		'a queue-job that is refused',
		'begins all others',
		() => refusing(() => ({kind: 'permanent', reason: 'no'})),
		/the last of 60 requests to be untried/,
	],
	[
		'a queue-job that is refused',
		'takes those behind it',
		() => refusing(i => (i === 0 ? {kind: 'permanent', reason: 'no'} : {kind: 'submitted', id: String(i)})),
		/permanent or untried, got .*submitted/,
	],
	['a queue-job is listed from the moment', 'answers from memory', good => lagging(good), /in an answer that is newer/],
	['a queue-job is listed from the moment', 'has other names', good => listing(good, job => ({...job, name: 'x'})), /Expected the name/],
	[
		'a queue-job is listed from the moment',
		'has other states',
		good => listing(good, job => ({...job, state: 'R'}) as unknown as JobStatus),
		/Expected one of the states/,
	],
	[
		'a queue-job is listed from the moment',
		'has no rawState',
		good => listing(good, job => ({...job, rawState: ''})),
		/Expected a rawState/,
	],
	[
		'a running queue-job is listed as running',
		'knows none',
		good => listing(good, job => ({...job, state: 'pending'})),
		waitsFor('in which it is running'),
	],
	['a running queue-job is listed as running', 'tells no host', good => listing(good, ({host: _, ...job}) => job), /Expected its host/],
	[
		'a running queue-job is listed as running',
		'forgets it before its end',
		good => {
			let numAsked = 0;
			return {status: async () => (++numAsked > 3 ? [] : good.status())};
		},
		/to be listed until it ends/,
	],
	['a queue-job that has ended is not listed', 'keeps them', keepingEnded, waitsFor('that are not listed any more')],
	[
		'the queue may be asked several times',
		'answers one at a time',
		good => {
			let isAsked = false;
			return {
				status: async () => {
					if (isAsked) return [];
					isAsked = true;
					await new Promise(resolve => setImmediate(resolve));
					isAsked = false;
					return good.status();
				},
			};
		},
		/in each of three answers/,
	],
	[
		'queue-jobs that are removed right after',
		'removes nothing',
		() => ({remove: async () => undefined}),
		waitsFor('that are not listed any more'),
	],
	[
		'a running queue-job that is removed',
		'leaves its children',
		// What is moved to a session of its own is not killed with the group.
		good => on(good, r => inShell(r, '', 'setsid /bin/sh "$@" & wait')),
		waitsFor('the end of what writes to the file beats'),
	],
	[
		'what is not named is not removed',
		'removes all',
		good => ({remove: async () => good.remove((await good.status()).map(({id}) => id))}),
		waitsFor('the file ended'),
	],
	[
		'to remove nothing, or what is gone',
		'refuses',
		good => ({
			remove: async ids => {
				const living = new Set((await good.status()).map(({id}) => id));
				if (ids.some(id => !living.has(id))) throw new Error('no such job');
				await good.remove(ids);
			},
		}),
		/no such job/,
	],
	[
		'a queue-job that ended well',
		'calls it a failure',
		() => ({explain: async () => ({failed: true, reason: 'x'})}),
		/an end that is no failure/,
	],
	[
		'a queue-job that failed',
		'calls it a success',
		() => ({explain: async () => ({failed: false, reason: 'x'})}),
		/Expected nothing, or a failure/,
	],
	['of every end it is told', 'says nothing', () => ({explain: async () => undefined}), waitsFor('the end of')],
	['whatever is asked', 'rejects', () => ({explain: () => Promise.reject(new Error('no line'))}), /never to reject, got Error: no line/],
	['whatever is asked', 'has no words', () => ({explain: async () => ({failed: true, reason: ''})}), /`failed` and a `reason`/],
	[
		'a queue-job finds nothing on its standard input',
		'gives it one',
		good => on(good, r => inShell(r, 'echo hello |', '/bin/sh "$@"')),
		/got "hello/,
	],
	[
		'a queue-job finds nothing on its standard input',
		'leaves it open',
		good => on(good, r => inShell(r, 'sleep 60 |', '/bin/sh "$@"')),
		waitsFor('the file input'),
	],
	[
		'what a queue-job writes to its standard output',
		'reads no pipe',
		good => on(good, r => inShell(r, '', '/bin/sh "$@" | sleep 60')),
		waitsFor('the file written'),
	],
	[
		'no variable of this process',
		'hands all on',
		good =>
			on(good, r =>
				inShell(
					r,
					Object.entries(process.env)
						.map(([name, value]) => /^QMR_CONTRACT/.test(name) && `export ${name}=${value};`)
						.filter(Boolean)
						.join(' '),
				),
			),
		/got QMR_CONTRACT_/,
	],
	[
		'Ctrl-C at the terminal',
		'watches it by a child in our group',
		good => ({
			submit: requests => {
				const child = spawn('sleep', ['60'], {stdio: 'ignore'});
				onTestFinished(() => void child.kill());
				return good.submit(requests);
			},
		}),
		/Expected no child of this process in its group/,
	],
	['a map on it', 'computes nothing', good => on(good, r => inShell(r, '', 'exit 1')), /tasks failed/],
	['the elements of an array', 'counts from 0', good => ({arrays: createArrays(good, {}, 0)}), waitsFor('the files ran-1')],
	[
		'the elements of an array',
		'drops the arguments',
		good => ({arrays: createArrays({...good, ...on(good, r => ({...r, scriptArguments: r.scriptArguments.slice(0, 3)}))})}),
		/the arguments 7 and x/,
	],
	['every element is listed', 'does not tell which', good => ({arrays: createArrays(good)}), waitsFor('as elements 1 to 4')],
	['of an array no more', 'runs all of them', good => ({arrays: createArrays(good)}), /Expected 2 elements at a time, got 5/],
	[
		'a single element of an array',
		'removes all of it',
		good => ({arrays: createArrays(good), remove: async () => good.remove((await good.status()).map(({id}) => id))}),
		waitsFor('the files ended-1'),
	],
	[
		'several elements of an array',
		'removes the first that is named',
		good => ({arrays: createArrays(good), remove: ids => good.remove(ids.slice(0, 1))}),
		/that are not listed any more/,
	],
	[
		'several elements of an array',
		'removes all of it',
		good => ({arrays: createArrays(good), remove: async () => good.remove((await good.status()).map(({id}) => id))}),
		/the files ended-3/,
	],
	['an array may have', 'has none', good => ({arrays: createArrays(good, {maxElements: async () => 1})}), /from 2 on, got 1/],
];

const findCase = (promise: string, makeEngine: () => Engine, words: RegExp) => {
	const timeoutMs = words.source.startsWith('Waited') ? VAIN_MS : TIMEOUT_MS;
	const cases = engineContract(makeEngine, {timeoutMs, explainsEnds: true, makeRefusingEngine: makeEngine});
	const found = cases.filter(({title}) => title.startsWith(promise));
	expect(found.map(({title}) => title)).toHaveLength(1);
	return found[0] as (typeof found)[number];
};

describe('an engine that breaks a promise is found', () => {
	test.concurrent.each(MUTANTS)('%s: one that %s', async (promise, _title, breakEngine, words) => {
		const good = createGood();
		const {run} = findCase(promise, () => ({...good, ...breakEngine(good)}), words);
		await expect(run()).rejects.toThrow(words);
		await good.remove((await good.status()).map(({id}) => id));
	});

	test('there is one for every promise', () => {
		const good = createGood();
		const cases = engineContract(() => ({...good, arrays: createArrays(good)}), {explainsEnds: true, makeRefusingEngine: createGood});
		const promises = MUTANTS.map(([promise]) => promise);
		expect(cases.map(({title}) => title).filter(title => !promises.some(promise => title.startsWith(promise)))).toEqual([]);
	});
});

test('cases of arrays are there where the engine has arrays', () => {
	const titles = (engine: Engine): string[] => engineContract(() => engine).map(({title}) => title);
	const good = createGood();
	expect(titles({...good, arrays: createArrays(good)}).length).toBeGreaterThan(titles(good).length);
});
