import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{sdk,worker,indexer,app,script}/{src,test,.}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.{integration,long}.test.ts'],
          testTimeout: 30_000,
          // No file changes what others share, and loading the same libraries for each took three quarters of the time.
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', '{sdk,worker,indexer}/**/*.integration.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Most of the time they wait for the chain's clock, so three files share two cores well.
          maxWorkers: 3,
        },
      },
      {
        // By name alone (`npm run test:long`): shorter tests of the same kind are in `integration`.
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts', '{worker,indexer}/test/**/*.long.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
