import {defineConfig, type ViteUserConfig} from 'vitest/config';

/**
 * Whole maps on the engines named by QMR_TEST_ENGINES. Here a missing engine is a failure (test/engines/presence.test.ts), and so are
 * tests that are left out: see .ci/run.
 */
const engines = process.env.QMR_TEST_ENGINES ?? 'grid-engine';

/** What is told of one scheduler alone; all other files of test/engines are about Grid Engine. */
const SLURM_ONLY = ['test/engines/slurm-*.test.ts'];
const FOR_ALL = ['test/chain/**/*.test.ts', 'test/engines/contract.test.ts', 'test/engines/presence.test.ts'];

const include = engines.includes('grid-engine') ? ['test/chain/**/*.test.ts', 'test/engines/**/*.test.ts'] : [...FOR_ALL, ...SLURM_ONLY];

const config: ViteUserConfig = defineConfig({
	test: {
		include,
		// These bring their own queue or are about the engine local, or have a counterpart in test/engines.
		exclude: [
			...[
				'faults',
				'engine-contract',
				'map-run',
				'own-engine',
				'parts',
				'programs',
				'rerun-options',
				'resume',
				'resources',
				'signals',
				'unremovable',
			].map(name => `test/chain/${name}.test.ts`),
			...(engines.includes('slurm') ? [] : SLURM_ONLY),
		],
		server: {deps: {external: [/\/dist\//]}},
		env: {QMR_TEST_ENGINES: engines},
		// A queue is shared: still more files at once would only wait for each other's queue-jobs.
		maxWorkers: 3,
		testTimeout: 300_000,
		hookTimeout: 300_000,
	},
});

export default config;
