import { describe, expect, it } from 'vitest';

import { VarsearchError } from '../../core/errors.js';
import { parseRating } from './endpoint-rating.js';

describe('a rating in text', () => {
  it.each([
    ['8', 0.8],
    ['0', 0],
    ['10', 1],
    [' 7.5\n', 0.75],
    ['7,5', 0.75],
    ['8.', 0.8],
    ['**8**', 0.8],
    ['"8"', 0.8],
    ['+8', 0.8],
    ['8/10', 0.8],
    ['8 / 10.', 0.8],
    ['7.5 out of 10', 0.75],
    ['Rating: 7.5 out of 10', 0.75],
    ['Score: **8**', 0.8],
    ['**Score:** 8', 0.8],
    ['rating = 3', 0.3],
    ['The score is 9.', 0.9],
    ['I would give it a rating of 6', 0.6],
    ['4/5', 0.8],
    ['80%', 0.8],
    ['85/100', 0.85],
    ['On a scale of 0 to 10, I rate it 8.', 0.8],
    ['(0-10): 8', 0.8],
    ['There are 3 stars and 2 circles. Rating: 8/10', 0.8],
    ['The 3 stars are there.\nScore: 9', 0.9],
    ['4 out of 5 stars are red. Rating: 7', 0.7],
    ['The star fills 10% of the picture. Score: 8', 0.8],
    ['Rating: 3. It shows 4 out of 5 stars', 0.3],
    ['Score: 80%. It shows 3 stars', 0.8],
    ['Yes, 9/10', 0.9],
    ['8/10. Again: 8/10', 0.8],
    ['The picture shows a red star: 8', 0.8],
    ['Rating: 8 (of the 3 stars, 2 are red)', 0.8],
    ['Yes', 1],
    ['yes.', 1],
    ['No', 0],
    ['No, it does not.', 0],
    ['**Yes**, the picture shows it', 1],
  ])('%j is %d', (text, rating) => {
    expect(parseRating(text)).toBeCloseTo(rating, 12);
  });

  it.each([
    ['', /holds no rating/],
    ['I cannot see any picture', /holds no rating/],
    ['Notable yesterday', /holds no rating/],
    ['NaN', /holds no rating/],
    ['11', /off the scale from 0 to 10/],
    ['-3', /off the scale from 0 to 10/],
    ['−3', /off the scale/],
    ['Score: -3', /off the scale/],
    ['85', /off the scale from 0 to 10/],
    ['11/10', /off the scale from 0 to 10/],
    ['120%', /off the scale from 0 to 100/],
    ['9'.repeat(400), /off the scale/],
    ['7-8', /gives a range/],
    ['7 to 8', /gives a range/],
    ['7 or 8', /gives a range/],
    ['8 – 9/10', /gives a range/],
    ['3 red stars, so 8', /holds several numbers/],
    ['8. There are 3 stars', /holds several numbers/],
    ['8/10 or rather 6/10', /holds several numbers/],
    ['Rating: 8/10. Score: 6', /holds several numbers/],
    ['8/10, 10% of it red', /holds several numbers/],
    ['Rating: 8/10x', /no number that stands alone/],
    ['3/4', /scale other than to 5, 10, 100/],
    ['3 out of 4 stars', /scale other than/],
    ['1,000', /read in two ways/],
    ['1.2.3', /read in two ways/],
    ['3D', /no number that stands alone/],
    ['8x', /no number that stands alone/],
    ['7½', /no number that stands alone/],
    ['1e1', /no number that stands alone/],
    ['yes and no', /both yes and no/],
  ])('%j is an error', (text, says) => {
    expect(() => parseRating(text)).toThrow(VarsearchError);
    expect(() => parseRating(text)).toThrow(says);
  });

  it('shows a hostile answer cut and harmless', () => {
    const parse = (): number => parseRating(`\u001b[31m\u202e${'x '.repeat(500)}`);
    expect(parse).toThrow(/"\[31mx x x.*…" holds no number/);
    // eslint-disable-next-line no-control-regex -- that none is there is the point
    expect(parse).not.toThrow(/[\x00-\x1f\u202e]/);
  });

  it('takes no long time over a long answer', () => {
    for (const text of [
      '8'.repeat(1e6),
      '8'.repeat(4000),
      ' '.repeat(4000),
      '8,'.repeat(2000),
      'rating is '.repeat(400),
      'rating '.repeat(1e5),
      '1 2 '.repeat(1e3),
      '8,'.repeat(1e5),
      ' '.repeat(1e6),
    ]) {
      expect(() => parseRating(text)).toThrow(VarsearchError);
    }
  });
});
