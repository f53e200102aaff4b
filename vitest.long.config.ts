import {defineConfig, mergeConfig, type ViteUserConfig} from 'vitest/config';
import engines from './vitest.engines.config.js';

/** What takes minutes: run by .ci/long, one file after the other. */
const config: ViteUserConfig = mergeConfig(engines, defineConfig({test: {maxWorkers: 1, testTimeout: 1_800_000, hookTimeout: 600_000}}));
config.test = {...config.test, include: ['test/long/**/*.test.ts']};

export default config;
