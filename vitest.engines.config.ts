import {defineConfig, type ViteUserConfig} from 'vitest/config';

/**
 * Whole maps on the engines named by QMR_TEST_ENGINES. Here a missing engine is a failure (test/engines/presence.test.ts), and so are
 * tests that are left out: see .ci/run.
 */
const config: ViteUserConfig = defineConfig({
	test: {
		include: ['test/chain/**/*.test.ts', 'test/engines/**/*.test.ts'],
		// These bring their own queue, or have a counterpart in test/engines.
		exclude: ['faults', 'engine-contract', 'own-engine', 'resume', 'signals', 'unremovable', 'resources'].map(
			name => `test/chain/${name}.test.ts`,
		),
		server: {deps: {external: [/\/dist\//]}},
		env: {QMR_TEST_ENGINES: process.env.QMR_TEST_ENGINES ?? 'grid-engine'},
		// A queue is shared: still more files at once would only wait for each other's queue-jobs.
		maxWorkers: 3,
		testTimeout: 180_000,
		hookTimeout: 180_000,
	},
});

export default config;
