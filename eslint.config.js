import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

/** Who may import whom (docs/architecture.md): everything imports sdk, sdk imports only libraries, test imports everything. */
const never = (...packages) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        {
          group: packages.flatMap((name) => [`@dpu/${name}`, `@dpu/${name}/**`, `**/../${name}/**`]),
          message: 'see "Who may import whom" in docs/architecture.md',
        },
      ],
    },
  ],
});
const noEnvironment = {
  'no-restricted-properties': [
    'error',
    { object: 'process', property: 'env', message: 'read the environment in config.ts only' },
  ],
};

export default ts.config(
  {
    ignores: [
      '**/node_modules/**',
      'out/**',
      'cache/**',
      'broadcast/**',
      '.dpu/**',
      '**/.ponder/**',
      '**/.svelte-kit/**',
      'app/build/**',
      'worker/dist/**',
      'sdk/src/abi/generated.ts',
      'sdk/modules/*/assembly/**',
      'indexer/ponder-env.d.ts',
    ],
  },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  prettier,
  ...svelte.configs.prettier,
  { languageOptions: { globals: { ...globals.node, ...globals.browser } } },
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      'no-console': 'off',
    },
  },
  { files: ['**/*.svelte', '**/*.svelte.ts'], languageOptions: { parserOptions: { parser: ts.parser } } },
  { files: ['sdk/src/**/*.ts'], rules: never('indexer', 'worker', 'app', 'script', 'test') },
  { files: ['indexer/**/*.ts'], rules: never('worker', 'app', 'script', 'test') },
  { files: ['worker/src/**/*.ts'], rules: never('indexer', 'app', 'script', 'test') },
  { files: ['app/src/**/*.{ts,svelte}'], rules: never('indexer', 'worker', 'script', 'test') },
  { files: ['script/**/*.{ts,mjs}'], rules: never('indexer', 'worker', 'app', 'test') },
  {
    files: ['worker/src/**/*.ts'],
    ignores: ['worker/src/config.ts', 'worker/src/cli.ts', '**/*.test.ts'],
    rules: noEnvironment,
  },
);
