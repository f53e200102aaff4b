import {defineConfig, type ViteUserConfig} from 'vitest/config';

/** Whole maps in simulated worlds: CPU only, one after the other, for they take all processors. */
const config: ViteUserConfig = defineConfig({
	test: {
		include: ['test/simulation/**/*.test.ts'],
		fileParallelism: false,
		testTimeout: 1_800_000,
		hookTimeout: 600_000,
	},
});

export default config;
