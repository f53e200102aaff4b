import fc from 'fast-check';
import {expect, test} from 'vitest';
import {workerNodeArguments} from '../../src/node-arguments.js';

test.each([
	[
		['--import', 'tsx'],
		['--import', 'tsx'],
	],
	[
		['--import=tsx', '--no-warnings'],
		['--import=tsx', '--no-warnings'],
	],
	[
		['--require', '/a/preflight.cjs', '--import', 'file:///a/loader.mjs'],
		['--require', '/a/preflight.cjs', '--import', 'file:///a/loader.mjs'],
	],
	[
		['-r', './a.cjs', '-C', 'development', '--conditions=node', '--loader', './l.mjs'],
		['-r', './a.cjs', '-C', 'development', '--conditions=node', '--loader', './l.mjs'],
	],
	[
		['--max-old-space-size=4096', '--stack-size=2000', '--expose-gc', '--permission', '--allow-fs-read=*'],
		['--max-old-space-size=4096', '--stack-size=2000', '--expose-gc', '--permission', '--allow-fs-read=*'],
	],
	[['--experimental-default-type=module'], ['--experimental-default-type=module']],
	[
		['--inspect', '--import', 'tsx', '--inspect-brk=0', '--inspect-port', '9230', '--inspect-publish-uid=http', '--debug-port=1'],
		['--import', 'tsx'],
	],
	[['--watch', '--watch-path', './src', '--watch-preserve-output', '--expose-gc'], ['--expose-gc']],
	[['--test', '--test-name-pattern', 'a b', '--test-reporter=dot', '--experimental-test-coverage'], []],
	[['-e', 'await pool.map(f, [1])', '--input-type', 'module'], []],
	[['-p', '1', '-pe', '2', '-i', '--eval', '3', '--print=4', '--interactive', '--input-type=module'], []],
	[['--cpu-prof', '--cpu-prof-dir', '/a', '--heap-prof', '--heap-prof-name=x', '--prof', '--heapsnapshot-signal=SIGUSR2'], []],
	[['--run', 'start', '--title', 'main', '--check', '-c', '--redirect-warnings=w.txt', '--env-file', '.env', '--env-file-if-exists=b'], []],
	[['--build-snapshot', '--build-snapshot-config=c', '--snapshot-blob', 's.blob', '--trace-event-categories', 'v8'], []],
	[
		['--print-bytecode', '--prof-process-not'],
		['--print-bytecode', '--prof-process-not'],
	],
])('%j becomes %j', (given, expected) => {
	expect(workerNodeArguments(given, false)).toEqual(expected);
});

test('an option that is kept keeps its value, one that is left out takes its value along', () => {
	const option = fc.constantFrom('--import', '-r', '--conditions', '--inspect-port', '--title', '-e', '--test-reporter', '--expose-gc');
	const entry = fc.record({option, value: fc.option(fc.string({minLength: 1}).filter(value => !value.startsWith('-')))});
	fc.assert(
		fc.property(fc.array(entry), entries => {
			const given = entries.flatMap(({option, value}) => (value === null ? [option] : [option, value]));
			const kept = entries.filter(({option}) => ['--import', '-r', '--conditions', '--expose-gc'].includes(option));
			expect(workerNodeArguments(given, false)).toEqual(kept.flatMap(({option, value}) => (value === null ? [option] : [option, value])));
		}),
	);
});

test('nothing of what vitest gives to its own processes is passed on', () => {
	expect(workerNodeArguments(['--require', '/a/suppress-warnings.cjs', '--conditions', 'node'], true)).toEqual([]);
	expect(workerNodeArguments()).toEqual([]);
	expect(workerNodeArguments(['--expose-gc'])).toEqual([]);
});
