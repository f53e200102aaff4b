import {chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {runGridEngineProgram} from '../../src/engines/grid-engine-program.js';
import {makePrograms} from '../helpers/made-programs.js';

/** What a wrapper finds out, and how it ends; each run of it is noted. */
const FINDS = `echo x >> "$(dirname "$0")/runs"
PROG=\`basename $0\`
SGE_ROOT=\${SGE_ROOT:-/found/root}
SGE_CELL=\${SGE_CELL:-found}
SGE_ARCH=\${SGE_ARCH:-lx-found}
export SGE_ROOT SGE_CELL SGE_ARCH`;

/** A `qsub` that is a link to a wrapper, as Debian has it, and the program behind it. */
const makeWrapped = ({name = 'gridengine-wrapper', finds = FINDS, end = 'exec DIRECTORY/lib/${PROG} "$@"', mode = 0o755} = {}) => {
	const {directory, paths} = makePrograms({[name]: finds});
	const lib = join(directory, 'lib');
	mkdirSync(lib);
	writeFileSync(join(lib, 'qsub'), '#!/bin/sh\necho "$SGE_ROOT $SGE_CELL $SGE_ARCH $MORE$SGE_QMASTER_PORT: $*"\n', {mode});
	chmodSync(join(lib, 'qsub'), mode);
	const wrapper = paths[name] as string;
	writeFileSync(wrapper, `${readFileSync(wrapper, 'utf8')}${end.replace('DIRECTORY', directory)}\n`);
	symlinkSync(wrapper, join(directory, 'qsub'));
	const call = async (args: readonly string[] = ['a b', 'c'], environment: NodeJS.ProcessEnv = {}): Promise<string> => {
		const {PATH} = process.env;
		const result = await runGridEngineProgram(join(directory, 'qsub'), args, {timeoutMs: 20_000, environment: {PATH, ...environment}});
		return result.ending === 'exited' ? result.stdout : `${result.ending} ${result.stderr}`;
	};
	const numRuns = (): number => readFileSync(join(directory, 'runs'), 'utf8').split('\n').length - 1;
	return {call, numRuns};
};

describe('a program behind the wrapper of Debian', () => {
	test('is called with what the wrapper finds out, which is found out once', async () => {
		const {call, numRuns} = makeWrapped();
		const answers = await Promise.all([call(), call(), call(['-x', '*'], {MORE: 'more'})]);
		expect(answers).toEqual([
			'/found/root found lx-found : a b c\n',
			'/found/root found lx-found : a b c\n',
			'/found/root found lx-found more: -x *\n',
		]);
		expect(numRuns()).toBe(1);
	});

	test('gets what the caller says in place of what the wrapper finds, as from the wrapper', async () => {
		const {call, numRuns} = makeWrapped();
		expect(await call([], {SGE_ROOT: '/mine', SGE_ARCH: ''})).toBe('/mine found lx-found : \n');
		expect(await call([])).toBe('/found/root found lx-found : \n');
		expect(numRuns()).toBe(1);
	});

	test('gets what else the wrapper exports, as the port that a site has in /etc/default/gridengine', async () => {
		const {call, numRuns} = makeWrapped({finds: `${FINDS}\nexport SGE_QMASTER_PORT=7000; echo a word of the site`});
		for (let i = 0; i < 2; i++) expect(await call()).toBe('/found/root found lx-found 7000: a b c\n');
		expect(await call([], {SGE_QMASTER_PORT: '6444'})).toBe('/found/root found lx-found 7000: \n');
		expect(numRuns()).toBe(1);
	});

	test.each([
		['has another name', {name: 'some-wrapper'}],
		['ends in another way', {end: 'DIRECTORY/lib/${PROG} "$@"; exit $?'}],
		['looks at the arguments', {finds: `${FINDS}\ntest "$1" != x || exit 3`}],
		['finds nothing out', {finds: FINDS.replace('lx-found', '')}],
		['fails when it is only asked', {finds: `case $(ps -o args= -p $$) in *"exec env"*) exit 1;; esac\n${FINDS}`}],
	])('is called by the wrapper each time when that %s', async (_, wrapper) => {
		const {call, numRuns} = makeWrapped(wrapper);
		const arch = 'finds' in wrapper && !wrapper.finds.includes('lx-found') ? '' : 'lx-found';
		for (let i = 0; i < 2; i++) expect(await call()).toBe(`/found/root found ${arch} : a b c\n`);
		expect(numRuns()).toBeGreaterThanOrEqual(2);
	});

	test('that can’t be executed is told by the wrapper', async () => {
		const {call} = makeWrapped({mode: 0o644});
		expect(await call()).toBe('');
	});
});

test('a program without a wrapper is called as it is', async () => {
	const {paths} = makePrograms({qsub: 'echo "$SGE_ROOT: $*"'});
	const {stdout} = await runGridEngineProgram(paths.qsub, ['a'], {timeoutMs: 20_000, environment: {SGE_ROOT: '/mine'}});
	expect(stdout).toBe('/mine: a\n');
});

test('a program that is missing is told', async () => {
	const settings = {timeoutMs: 20_000, environment: process.env};
	await expect(runGridEngineProgram('/nonexistent/qsub', [], settings)).rejects.toThrow("The program /nonexistent/qsub can't be executed");
});
