import { describe, expect, it } from 'vitest';

import { CheckpointError } from '../../core/errors.js';
import { flattenTensors } from './flatten.js';
import { parseTorchPickle } from './pickle.js';
import type { PickleValue } from './pickle-values.js';

/** A pickle from text (latin-1, so that \x80 and the like are bytes), with the opcode of protocol 2 before it. */
function parse(text: string): PickleValue {
  return parseTorchPickle('bad.pth', new Uint8Array(Buffer.from(`\x80\x02${text}`, 'latin1')));
}

const unicode = (text: string): string => `X${String.fromCharCode(text.length)}\0\0\0${text}`;
const STORAGE = `(${unicode('storage')}ctorch\nFloatStorage\n${unicode('0')}${unicode('cpu')}K\x06tQ`;
/** A tensor over six floats; offset, shape and strides as opcodes. */
const tensor = (offset: string, shape: string, strides: string, end = '\x89Nt'): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${STORAGE}${offset}${shape}${strides}${end}R`;

describe('parseTorchPickle', () => {
  it('builds plain values', () => {
    expect(
      parse(
        `(K\x01M\x02\x01J\xff\xff\xff\xff\x88\x89NG?\xf0\0\0\0\0\0\0${unicode('text')}\x8a\x01\x80l.`.replace(
          'l.',
          't.',
        ),
      ),
    ).toEqual([1, 258, -1, true, false, null, 1, 'text', -128]);
    expect(parse(`}(${unicode('a')}]q\x00(K\x01K\x02e${unicode('b')}h\x00u.`)).toEqual(
      new Map([
        ['a', [1, 2]],
        ['b', [1, 2]],
      ]),
    );
    expect(parse('\x8a\x0b\0\0\0\0\0\0\0\0\0\0\x01.')).toBe(2n ** 80n);
  });

  it('keeps keys that are special to JavaScript as plain keys', () => {
    const value = parse(`}${unicode('__proto__')}}${unicode('polluted')}\x88ss.`) as Map<string, PickleValue>;
    expect(value.get('__proto__')).toEqual(new Map([['polluted', true]]));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  const globals: [string, string][] = [
    ['os system', 'os.system'],
    ['builtins eval', 'builtins.eval'],
    ['torch.storage _load_from_bytes', 'torch.storage._load_from_bytes'],
    ['collections OrderedDict.__class__', 'collections.OrderedDict.__class__'],
    ['__proto__ constructor', '__proto__.constructor'],
    ['torch load', 'torch.load'],
    ['argparse Namespace', 'argparse.Namespace'],
  ];
  it.each(globals)('refuses the global %s by name', (text, full) => {
    const [module, name] = text.split(' ');
    expect(() => parse(`c${module}\n${name}\n(tR.`)).toThrow(CheckpointError);
    expect(() => parse(`c${module}\n${name}\n(tR.`)).toThrow(`'${full}', which is refused`);
    expect(() => parse(`${unicode(module!)}${unicode(name!)}\x93.`)).toThrow(`'${full}', which is refused`);
  });

  const opcodes: [string, string][] = [
    ['INST', 'ios\nsystem\n.'],
    ['OBJ', '(Nto.'],
    ['NEWOBJ', 'ccollections\nOrderedDict\n)\x81.'],
    ['NEWOBJ_EX', 'ccollections\nOrderedDict\n)}\x92.'],
    ['EXT1', '\x82\x01.'],
    ['PERSID', 'Pstorage\n.'],
    ['POP', 'N0.'],
    ['DUP', 'N2.'],
    ['SHORT_BINBYTES', 'C\x01a.'],
    ['FROZENSET', '(\x91.'],
    ['0xff', '\xff.'],
  ];
  it.each(opcodes)('refuses the opcode %s by name', (name, text) => {
    expect(() => parse(text)).toThrow(`bad.pth: its pickle uses the opcode ${name} at byte`);
  });

  const faults: [string, string, string][] = [
    ['an end too early', 'K', 'truncated'],
    ['no end', 'N', 'truncated'],
    ['a string longer than the file', 'X\xff\xff\xff\x7fabc.', 'truncated'],
    ['a string that is no UTF-8', 'X\x01\0\0\0\xff.', 'not UTF-8'],
    ['values left over', 'NN.', 'left over'],
    ['an open group', '(N.', 'left over'],
    ['an empty stack', '.', 'empty stack'],
    ['a group never opened', 't.', 'never opened'],
    ['an unknown memo slot', 'h\x05.', 'slot 5'],
    ['a memo slot written twice', 'Nq\0Nq\0\x86.', 'twice'],
    ['a change of a tuple', ')K\x01a.', 'no list'],
    ['an entry of a list', ']NNs.', 'no dictionary'],
    ['a list as key', '}]Ns.', 'neither a string nor a number'],
    ['a tuple of tuples as key', '})\x85Ns.', 'nor a tuple of them'],
    ['a tuple twice as key', '}(K\x01\x85NK\x01\x85Nu.', "'(1)' twice"],
    ['a key twice', `}(${unicode('a')}N${unicode('a')}Nu.`, "'a' twice"],
    ['an entry without value', `}(${unicode('a')}u.`, 'without a value'],
    ['a call of text', `${unicode('os')})R.`, 'no function'],
    ['a call of a type', 'ctorch\nFloatStorage\n)R.', "calls 'torch.FloatStorage'"],
    ['an OrderedDict of something', 'ccollections\nOrderedDict\n(NtR.', 'with arguments'],
    ['a parameter of nothing', 'ctorch._utils\n_rebuild_parameter\n(N\x88NtR.', 'no tensor'],
    ['a persistent id of another kind', `(${unicode('module')}NNNNtQ.`, 'no storage'],
    [
      'an absurd storage',
      STORAGE.replace('K\x06', '\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f') + '.',
      'absurd length',
    ],
    ['a negative storage', STORAGE.replace('K\x06', 'J\xff\xff\xff\xff') + '.', 'absurd length'],
    ['a storage key that is a path', STORAGE.replace(unicode('0'), unicode('../0')) + '.', 'proper key'],
    ['a storage of two lengths', `${STORAGE}${STORAGE.replace('K\x06', 'K\x07')}\x86.`, 'in two ways'],
    [
      'a tensor beyond its storage',
      tensor('K\x00', 'K\x07\x85', 'K\x01\x85') + '.',
      'reaches element 7 of 6',
    ],
    [
      'a stride beyond its storage',
      tensor('K\x00', 'K\x02\x85', 'K\x06\x85') + '.',
      'reaches element 7 of 6',
    ],
    ['an offset beyond its storage', tensor('K\x06', ')', ')') + '.', 'reaches element 7 of 6'],
    [
      'an empty tensor beyond its storage',
      tensor('K\x07', 'K\0\x85', 'K\x01\x85') + '.',
      'reaches element 7 of 6',
    ],
    ['a negative offset', tensor('J\xff\xff\xff\xff', ')', ')') + '.', 'without a proper offset'],
    [
      'a negative stride',
      tensor('K\x05', 'K\x02\x85', 'J\xff\xff\xff\xff\x85') + '.',
      'without a proper offset',
    ],
    ['shape and strides of two lengths', tensor('K\0', 'K\x02\x85', ')') + '.', 'without a proper offset'],
    ['a list as shape', tensor('K\0', ']', ')') + '.', 'without a proper offset'],
    ['a negated view', tensor('K\0', ')', ')', `\x89N}${unicode('neg')}\x88st`) + '.', 'hooks or metadata'],
    ['a tensor without arguments', 'ctorch._utils\n_rebuild_tensor_v2\n)R.', '0 arguments'],
    ['a frame longer than the file', '\x95\xff\0\0\0\0\0\0\0N.', 'frame of 255 bytes'],
    ['an integer of absurd length', `\x8a\xff${'\x01'.repeat(255)}.`, 'integer of 255 bytes'],
  ];
  it.each(faults)('refuses %s', (_, text, fault) => {
    expect(() => parse(text)).toThrow(CheckpointError);
    expect(() => parse(text)).toThrow(fault);
  });

  it('takes what weights_only takes besides: sets, sizes, devices, types, tuples and None as keys, bytes behind the end', () => {
    const text = `}(K\x01${unicode('a')}\x86K\x07NK\x08${unicode('size')}ctorch\nSize\n(K\x02K\x03t\x85R`;
    expect(parse(`${text}u.rest`)).toEqual(
      new Map<string, unknown>([
        ['(1, a)', 7],
        ['None', 8],
        ['size', [2, 3]],
      ]),
    );
    expect(parse('\x8f(K\x01K\x02\x90.')).toEqual([1, 2]);
    expect(parse(`c__builtin__\nset\n](K\x01e\x85R.`)).toEqual([1]);
    expect(parse(`c_codecs\nencode\n${unicode('ab')}${unicode('latin1')}\x86R.`)).toBe('ab');
    expect(parse(`ctorch\ndevice\n${unicode('cuda')}K\0\x86R.`)).toBe('cuda');
    expect(parse('ctorch\nfloat16\n.')).toMatchObject({ name: 'torch.float16' });
    expect(parse('U\x02ab.')).toBe('ab');
  });

  it('knows tensors of kinds that it does not read, and types over bytes', () => {
    expect(parse('ctorch._utils\n_rebuild_qtensor\n)R.')).toMatchObject({ kind: 'a quantised tensor' });
    const bytes = STORAGE.replace('ctorch\nFloat', 'ctorch.storage\nUntyped').replace('K\x06', 'K\x0c');
    const typed = (type: string, shape: string, strides: string): string =>
      `ctorch._utils\n_rebuild_tensor_v3\n(${bytes}K\0${shape}${strides}\x89Nctorch\n${type}\ntR.`;
    expect(parse(typed('float8_e5m2', 'K\x03\x85', 'K\x01\x85'))).toMatchObject({
      dtype: 'F8_E5M2',
      shape: [3],
    });
    expect(parse(typed('uint32', 'K\x03\x85', 'K\x01\x85'))).toMatchObject({ dtype: 'U32' });
    expect(() => parse(typed('uint64', 'K\x02\x85', 'K\x01\x85'))).toThrow('reaches element 2 of 1');
    const attributed = (inner: string, callee = 'torch._utils\n_rebuild_tensor_v2'): string =>
      `ctorch._tensor\n_rebuild_from_type_v2\n(c${callee}\nctorch\nTensor\n${inner}}tR.`;
    const plain = `(${STORAGE}K\0K\x02\x85K\x01\x85\x89Nt`;
    expect(parse(attributed(plain))).toMatchObject({ dtype: 'F32', shape: [2] });
    expect(() => parse(attributed(')', 'torch\nSize'))).toThrow('something that is no tensor');
    expect(() => parse(attributed(')', 'torch._tensor\n_rebuild_from_type_v2'))).toThrow(
      'something that is no tensor',
    );
  });

  it.each(['', '\x80', '\x80\x01N.', '\x80\x06N.', '(lp0\n.'])('refuses another protocol: %j', (text) => {
    expect(() => parseTorchPickle('bad.pth', new Uint8Array(Buffer.from(text, 'latin1')))).toThrow(
      CheckpointError,
    );
  });

  it('bounds what a hostile pickle may ask for', () => {
    expect(() => parse('N'.repeat(1_100_000) + '.')).toThrow('too large');
    expect(() => parse(']('.concat(']'.repeat(1_100_000), 'e.'))).toThrow('too large');
    expect(() => parse('('.repeat(1_100_000) + '.')).toThrow('too large');
  });
});

describe('flattenTensors', () => {
  const one = parse(tensor('K\x01', 'K\x02\x85', 'K\x02\x85') + '.');

  it('joins the path with dots', () => {
    const tree: PickleValue = new Map<string, PickleValue>([
      ['vae', new Map([['a.weight', one]])],
      ['list', [null, one]],
    ]);
    expect([...flattenTensors('x.pth', tree).keys()]).toEqual(['vae.a.weight', 'list.1']);
  });

  it('refuses two tensors of one name', () => {
    const tree: PickleValue = new Map<string, PickleValue>([
      ['a', new Map([['b.c', one]])],
      ['a.b', new Map([['c', one]])],
    ]);
    expect(() => flattenTensors('x.pth', tree)).toThrow("x.pth: holds two tensors of the name 'a.b.c'");
  });

  it('refuses a value that contains itself', () => {
    expect(() => flattenTensors('x.pth', parse(']q\0h\0a.'))).toThrow('nested deeper');
  });

  it('refuses nesting without end', () => {
    expect(() => flattenTensors('x.pth', parse(`${']'.repeat(1000)}${'a'.repeat(999)}.`))).toThrow(
      'nested deeper',
    );
  });

  it('refuses a few bytes that unfold into billions of values', () => {
    let text = ']q\0';
    for (let i = 1; i < 40; i++) {
      text += `](${'h'.concat(String.fromCharCode(i - 1)).repeat(10)}eq${String.fromCharCode(i)}`;
    }
    // Every list but the last stays on the stack; a tuple takes them all.
    expect(() => flattenTensors('x.pth', parse(`(${text}t.`))).toThrow('too many values');
  });
});
