/**
 * How the tests run: two files at a time, each test with a bounded time. The limits are for what
 * hangs, not for what is slow: a machine may be ten times as slow as usual.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/fixed-seed.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    pool: 'forks',
  },
});
