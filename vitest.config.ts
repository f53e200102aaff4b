import {defineConfig} from 'vitest/config';

export default defineConfig({
	test: {
		include: ['unit', 'chain', 'cli', 'house'].map(name => `test/${name}/**/*.test.ts`),
		// The built package is used as its users use it: loaded by Node, not by vite.
		server: {deps: {external: [/\/dist\//]}},
		// Whole maps wait most of the time.
		maxWorkers: 4,
		// No test is measured by them: they end what hangs, also on a machine that does ten other things.
		testTimeout: 300_000,
		hookTimeout: 180_000,
	},
});
