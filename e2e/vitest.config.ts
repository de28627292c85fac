import { defineConfig } from 'vitest/config';

/** Tests in a real browser, one file after the other: they share two cores with it. */
export default defineConfig({
  test: {
    include: ['e2e/**/*.e2e.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
