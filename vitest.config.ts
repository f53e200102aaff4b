import {defineConfig} from 'vitest/config';

export default defineConfig({
	test: {
		include: ['unit', 'chain', 'cli', 'house'].map(name => `test/${name}/**/*.test.ts`),
		// The built package is used as its users use it: loaded by Node, not by vite.
		server: {deps: {external: [/\/dist\//]}},
		// Whole maps wait most of the time.
		maxWorkers: 4,
		testTimeout: 120_000,
		hookTimeout: 60_000,
	},
});
