import { defineConfig, globalIgnores } from 'eslint/config';
import simpleImportSort from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';

/** ESLint's own rules that find faults which neither the compiler nor typescript-eslint finds. */
const CORE_RULES = [
  'eqeqeq',
  'no-async-promise-executor',
  'no-case-declarations',
  'no-compare-neg-zero',
  'no-cond-assign',
  'no-constant-binary-expression',
  'no-control-regex',
  'no-debugger',
  'no-dupe-else-if',
  'no-duplicate-case',
  'no-empty',
  'no-empty-pattern',
  'no-empty-character-class',
  'no-irregular-whitespace',
  'no-loss-of-precision',
  'no-misleading-character-class',
  'no-prototype-builtins',
  'no-self-assign',
  'no-self-compare',
  'no-sparse-arrays',
  'no-template-curly-in-string',
  'no-unreachable-loop',
  'no-unsafe-finally',
  'no-unsafe-optional-chaining',
  'no-useless-catch',
  'no-useless-escape',
  'object-shorthand',
  'prefer-const',
  'preserve-caught-error',
  'require-yield',
  'use-isnan',
];

/** How names leave a module. */
const EXPORTS = [
  {
    selector: 'ExportDefaultDeclaration',
    message: 'Export by name: a default export has no name to search for.',
  },
  {
    selector: 'ExportAllDeclaration',
    message: 'List what is exported: `export *` hides what is public.',
  },
];

/** Classes whose instances come from other realms: those of Node.js itself, in test runners that have a context of their own. */
const FOREIGN = {
  selector:
    'BinaryExpression[operator="instanceof"][right.name=/^((Type|Range|Syntax)?Error|\\w+Array|ArrayBuffer|AbortSignal|URL|Buffer)$/]',
  message: 'It may come from another realm: take a test of core/realm.ts.',
};

export default defineConfig(
  globalIgnores(['dist/', 'out/', '.work/', 'assets/', 'node_modules/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { 'simple-import-sort': simpleImportSort },
    rules: {
      'simple-import-sort/imports': ['error', { groups: [['^\\u0000'], ['^node:', '^@?\\w'], ['^\\.']] }],
      'simple-import-sort/exports': 'error',
      ...Object.fromEntries(CORE_RULES.map((rule) => [rule, 'error'])),
      curly: ['error', 'multi-line'],
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...EXPORTS],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      // A `default` counts; without one, every member of a union has its case.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers read well in messages; everything else has to be written out.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // With noUncheckedIndexedAccess an index that is known to be in range has to be asserted, with `!` or `as`.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // `() => handle.dispose()` says what it does.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `while (true)` and `for (;;)` with a return inside are clear.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // Implementations of an async contract need not have anything to wait for.
      '@typescript-eslint/require-await': 'off',
      // `_` marks what is dropped on purpose.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true },
      ],
    },
  },
  {
    files: ['src/**'],
    ignores: ['**/*.test.ts', '**/*.suite.ts', '**/fixtures/**', 'src/core/realm.ts'],
    rules: { 'no-restricted-syntax': ['error', ...EXPORTS, FOREIGN] },
  },
  {
    // Randomness is keyed and costs are the ledger's: a search depends on its arguments alone.
    files: ['src/search/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        'performance',
        'Date',
        'crypto',
        'process',
        'setTimeout',
        'setInterval',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Draw from a RandomKey.' },
      ],
    },
  },
  {
    // Where programs talk to people.
    files: ['src/cli/**', 'conformance/**', 'scripts/**', 'bench/**', 'training/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // Test doubles do nothing on purpose and know whose values they get; vitest's matchers are loosely typed.
    files: ['**/*.test.{ts,tsx}', '**/*.suite.ts', 'test/**'],
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Tools read their configuration from a default export.
    files: ['*.config.{js,ts}'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  { files: ['**/*.{js,mjs}'], extends: [tseslint.configs.disableTypeChecked] },
);
