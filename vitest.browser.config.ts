import {defineConfig, type ViteUserConfig} from 'vitest/config';

/** What is looked at in a real browser: Debian's chromium, or the one that QMR_CHROMIUM names. Here a missing browser is a failure. */
const config: ViteUserConfig = defineConfig({
	test: {
		include: ['test/browser/**/*.test.ts'],
		server: {deps: {external: [/\/dist\//]}},
		maxWorkers: 1,
		testTimeout: 180_000,
		hookTimeout: 180_000,
	},
});

export default config;
