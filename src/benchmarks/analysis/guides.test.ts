// What the gains of guide, held-out verifiers and detector say together.

import { expect, it } from 'vitest';

import type { Estimate } from './bootstrap.js';
import { findingOf } from './guides.js';

const [above, below, both]: readonly Estimate[] = [
  { value: 1, low: 0.5, high: 1.5 },
  { value: -1, low: -1.5, high: -0.5 },
  { value: 0.1, low: -0.4, high: 0.6 },
];

it.each([
  ['hacked', above, [above, below]],
  ['hacked', above, [below, null]],
  ['helps', above, [above, null]],
  ['helps', above, [above, above]],
  ['open', above, [above, both]],
  ['open', above, [null, null]],
  ['nothing to gain', both, [below, below]],
  ['nothing to gain', below, [above, above]],
  ['nothing to gain', null, [above, above]],
] as const)('is %s', (finding, guide, others) => {
  expect(
    findingOf(
      guide ?? null,
      others.map((each) => each ?? null),
    ),
  ).toBe(finding);
});
