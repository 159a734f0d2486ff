import { describe, expect, it } from 'vitest';

import { UsageError } from './errors.js';
import {
  checkOptions,
  choice,
  described,
  isObject,
  isText,
  listed,
  number,
  numbers,
  type Option,
  type OptionsOf,
  pick,
  SIGNAL,
  text,
  titleOf,
  toggle,
  value,
  whole,
  wholes,
  wrongOption,
} from './options.js';

const TABLE = {
  name: text('what it is called', 'a text that is not empty', { usual: 'nobody' }),
  share: number('how much', (given) => given >= 0 && given <= 1, 'a number from 0 to 1'),
  strength: numbers('how strong', (given) => given > 0, 'a number above 0'),
  count: whole('how many', 1),
  perStep: wholes('how many at a step', 1),
  topK: whole('of the best', 0, { expected: 'a number of the best, or 0 for all', placeholder: 'k' }),
  colour: choice('which', ['red', 'blue']),
  keepElected: toggle('whether it is kept'),
  model: value<string | object>('who', (given) => isText(given) || isObject(given), 'a name or a model', {
    kind: 'text',
    show: (given) => (typeof given === 'string' ? given : 'a model of your own'),
  }),
  signal: SIGNAL,
};

describe('an option', () => {
  const passes = (option: Option, values: readonly unknown[]): boolean[] =>
    values.map((given) => option.check(given));

  it.each([
    ['text', TABLE.name, ['x', ' x '], ['', ' \n', 1, null, undefined]],
    ['number', TABLE.share, [0, 0.5, 1], [-0.1, 1.1, NaN, Infinity, '0.5', null, [0.5]]],
    ['numbers', TABLE.strength, [1, [0.5, 2]], [0, [], [1, 0], [1, '2'], '1', NaN, [NaN]]],
    ['whole', TABLE.count, [1, 7, 2 ** 53 - 1], [0, -1, 1.5, NaN, 2 ** 53, '1', true, [1]]],
    ['wholes', TABLE.perStep, [1, [1, 2]], [0, [], [1, 0], [1.5], '1,2']],
    ['choice', TABLE.colour, ['red', 'blue'], ['green', '', 0, null, ['red']]],
    ['switch', TABLE.keepElected, [true, false], ['yes', 0, 1, null]],
    ['text', TABLE.model, ['toybox', {}], ['', 1, null]],
    ['value', TABLE.signal, [new AbortController().signal], [{}, new AbortController(), 'signal']],
  ] as const)('of kind %s takes what its rule says', (kind, option, right, wrong) => {
    expect(option.kind).toBe(kind);
    expect(passes(option, right)).toEqual(right.map(() => true));
    expect(passes(option, wrong)).toEqual(wrong.map(() => false));
  });

  it('says what it expects in the words of its kind, or in its own', () => {
    expect(Object.values(TABLE).map(({ expected }) => expected)).toEqual([
      'a text that is not empty',
      'a number from 0 to 1',
      'a number above 0, or one per step',
      'a whole number of at least 1',
      'a whole number of at least 1, or a list of one per step',
      'a number of the best, or 0 for all',
      'one of red, blue',
      'true or false',
      'a name or a model',
      'an AbortSignal',
    ]);
    expect(TABLE.colour.choices).toEqual(['red', 'blue']);
    expect([TABLE.name.usual, TABLE.topK.placeholder]).toEqual(['nobody', 'k']);
  });
});

describe('the type of what may be given', () => {
  it('follows from the table', () => {
    const right: OptionsOf<typeof TABLE> = {
      name: 'x',
      strength: [1, 2],
      perStep: 3,
      colour: 'red',
      keepElected: undefined,
      model: {},
    };
    const wrong: readonly OptionsOf<typeof TABLE>[] = [
      // @ts-expect-error A choice knows its words.
      { colour: 'green' },
      // @ts-expect-error A number is none as a text.
      { share: '1' },
      // @ts-expect-error Nothing else is known.
      { shape: 1 },
    ];
    expect(() => {
      checkOptions(right, TABLE);
    }).not.toThrow();
    for (const options of wrong) {
      expect(() => {
        checkOptions(options, TABLE);
      }).toThrow(UsageError);
    }
  });
});

describe('checking options', () => {
  const check =
    (options: object, more?: Parameters<typeof checkOptions>[2]): (() => void) =>
    () => {
      checkOptions(options, TABLE, more);
    };

  it('takes all that is right, and what is undefined for not given', () => {
    expect(check({})).not.toThrow();
    expect(check({ name: 'x', count: 2, colour: undefined, shape: undefined })).not.toThrow();
  });

  it.each([
    [{ shape: 1 }, /^unknown option 'shape': did you mean 'share'\? known are name, share, .*, signal$/],
    [{ weather: 1 }, /^unknown option 'weather': known are name, share, .*, signal$/],
    [{ toString: 1 }, /^unknown option 'toString'/],
    [{ count: 0 }, /^option 'count' must be a whole number of at least 1, got 0$/],
    [{ count: '3' }, /got '3'$/],
    [{ count: null }, /got null$/],
    [{ name: '' }, /^option 'name' must be a text that is not empty, got ''$/],
    [{ colour: ['red'] }, /^option 'colour' must be one of red, blue, got \[ 'red' \]$/],
    [{ name: 'x', share: 2, count: 0 }, /^option 'share'/],
  ])('refuses %j', (options, message) => {
    expect(check(options)).toThrow(UsageError);
    expect(check(options)).toThrow(message);
  });

  it('says who does not take an option', () => {
    const whose = 'random search';
    expect(check({ shape: 1 }, { whose })).toThrow(
      /^random search does not take the option 'shape': it takes name, share/,
    );
    expect(() => {
      checkOptions({ shape: 1 }, {}, { whose });
    }).toThrow(/^random search does not take the option 'shape': it takes none$/);
  });

  it('says what is missing', () => {
    const required = ['name', 'colour'];
    expect(check({ name: 'x', colour: 'red' }, { required })).not.toThrow();
    expect(check({ name: 'x' }, { required })).toThrow(
      /^option 'colour' is missing: it must be one of red, blue$/,
    );
    expect(check({ name: undefined, colour: 'red' }, { required })).toThrow(/^option 'name' is missing/);
  });

  it('writes what was given in brief', () => {
    const { message } = wrongOption('name', 'short', 'x'.repeat(1000));
    expect(message).toMatch(/^option 'name' must be short, got 'x+\.\.\.$/);
    expect(message.length).toBeLessThan(100);
    expect(wrongOption('name', 'a text', { deep: { deeper: { deepest: 1 } } }).message).toMatch(
      /got \{ deep: \{ deeper: \[Object\] \} \}$/,
    );
  });
});

describe('what follows from a table', () => {
  it('are the options that are its own', () => {
    const options = { count: 3, shape: 1, colour: undefined, toString: 1, keepElected: false };
    expect(pick(options, TABLE)).toEqual({ count: 3, keepElected: false });
  });

  it('are titles', () => {
    expect(['name', 'keepElected', 'topK', 'aspectRatio'].map(titleOf)).toEqual([
      'name',
      'keep elected',
      'top k',
      'aspect ratio',
    ]);
  });

  it('are the values in words, in the order of the table; what is not given is left out', () => {
    const values = {
      model: { name: 'mine' },
      keepElected: true,
      perStep: [5, 5, 4],
      strength: [2, 2],
      colour: 'red',
      count: 0,
      name: undefined,
      share: null,
      shape: 'unknown to the table',
    };
    expect(described(values, TABLE)).toEqual([
      ['strength', '2'],
      ['count', '0'],
      ['per step', '5, 5, 4'],
      ['colour', 'red'],
      ['keep elected', 'yes'],
      ['model', 'a model of your own'],
    ]);
    expect(described({ keepElected: false }, TABLE)).toEqual([['keep elected', 'no']]);
    expect(described({}, TABLE)).toEqual([]);
  });

  it('are lists in brief: one number where all are the same', () => {
    expect([3, [3], [3, 3], [3, 4], []].map((each) => listed(each))).toEqual(['3', '3', '3', '3, 4', '']);
    expect(listed([4, 3, 3, 3, 1, 1, 1, 1, 2])).toBe('4, 3, 3, 3, 1 (4 times), 2');
  });
});
