"""Scenes made wrong for their caption, one change after another, on the 42-byte records; what a caption asks, and whether a scene
shows it (the rule of src/toybox/judge/judge.ts on exact scenes).

An object is a list [shape, colour, texture, radius, x, y], lengths in quarter pixels; objects stand in the order of their groups.
"""
from collections import namedtuple

import numpy as np

from renderer import COLOURS, SHAPES, SIDE, TEXTURES, UNIT

SHAPE, COLOUR, TEXTURE, RADIUS, X, Y = range(6)
KINDS = ['colour', 'shape', 'texture', 'size', 'count', 'relation', 'exchange']
# How often each kind is tried first: who stands where and what belongs to whom are hardest to see.
KIND_SHARES = np.array([1, 1, 1.5, 1, 1, 3, 2]) / 10.5
SIZES, RADII, LIMITS = ['small', 'medium', 'large'], (28, 38, 56), (33, 47)
COUNTS = {'a': 1, 'an': 1, 'one': 1, 'two': 2, 'three': 3, 'four': 4, 'five': 5}
DIRECTIONS = {'left': (-1, 0), 'right': (1, 0), 'above': (0, -1), 'below': (0, 1)}
MOST = 5

# What a caption asks of a group: the value of each named property (by its place in an object), how many, and whether no more.
Group = namedtuple('Group', 'count asks exact')


def extents():
    """[shape] -> how far it reaches left, up, right and down, in radii."""
    table = []
    for unit in (UNIT[name] for name in SHAPES):
        if unit['form'] == 'polygon':
            v = np.asarray(unit['vertices'])
            table.append((*-v.min(0), *v.max(0)))
        else:
            table.append((unit['radius'] + unit.get('halfWidth', 0),) * 4)
    return table


EXTENTS = extents()


def size_of(radius):
    return sum(radius >= limit for limit in LIMITS)


def box(o):
    left, up, right, down = (reach * o[RADIUS] for reach in EXTENTS[o[SHAPE]])
    return o[X] - left, o[Y] - up, o[X] + right, o[Y] + down


def holds(direction, a, b):
    """GenEval's rule: the offset of the boxes' centres, less a tenth of their sizes, points clearly that way."""
    a, b = np.array(box(a)), np.array(box(b))
    offset = (a[:2] + a[2:] - b[:2] - b[2:]) / 2
    distance = np.hypot(*offset)
    sizes = a[2:] - a[:2] + b[2:] - b[:2]
    shrunk = np.sign(offset) * np.maximum(np.abs(offset) - 0.1 * sizes, 0)
    return distance > 0 and shrunk @ np.array(direction) / distance > 0.5


class Captions:
    """Reads captions (word ids, 0 behind) of the toybox grammar."""

    def __init__(self, words):
        self.words = words
        self.values = {name: (SHAPE, i) for i, name in enumerate(SHAPES)}
        self.values.update({'crosses' if name == 'cross' else name + 's': (SHAPE, i) for i, name in enumerate(SHAPES)})
        self.values.update({name: (COLOUR, i) for i, name in enumerate(COLOURS)})
        self.values.update({name: (TEXTURE, i) for i, name in enumerate(TEXTURES)})
        self.values.update({name: (RADIUS, i) for i, name in enumerate(SIZES)})

    def __call__(self, caption):
        """(groups, direction of the first group from the second or None)"""
        groups, direction = [], None
        for word in (self.words[i - 1] for i in caption if i):
            if word in COUNTS:
                groups.append(Group(COUNTS[word], {}, word not in ('a', 'an')))
            elif word in DIRECTIONS:
                direction = DIRECTIONS[word]
            elif word in self.values:
                place, value = self.values[word]
                groups[-1].asks[place] = value
        return groups, direction


def fits(asks, o):
    return all((size_of(o[p]) if p == RADIUS else o[p]) == value for p, value in asks.items())


def says_all(groups, direction):
    """Whether the caption counts or is complex, so that nothing else may be in the picture."""
    if any(group.exact for group in groups) or len(groups) > 2 or any(RADIUS in group.asks for group in groups):
        return True
    textured = any(TEXTURE in group.asks for group in groups)
    coloured = sum(COLOUR in group.asks for group in groups)
    if direction is not None:
        return textured or coloured > 0
    return not textured and len(groups) == 2 and coloured == 1


def shows(prompt, objects):
    """Whether a scene is right for a prompt: enough of every group, counted ones exactly, plain where another group's texture is
    named, the relation, and nothing else where the prompt says all."""
    groups, direction = prompt
    plain = {TEXTURE: 0} if any(TEXTURE in group.asks for group in groups) else {}
    found = [[o for o in objects if fits({**plain, **group.asks}, o)] for group in groups]
    for group, members in zip(groups, found):
        if len(members) < group.count or (group.exact and len(members) != group.count):
            return False
    if says_all(groups, direction) and len(objects) != sum(group.count for group in groups):
        return False
    if direction is None:
        return True
    first, second = ([[o] for o in members] if group.count == 1 else [members] for group, members in zip(groups, found))
    return any(all(holds(direction, a, b) for a in some for b in others) for some in first for others in second)


def unpack(record):
    """A record [42] -> (first byte's background, objects)."""
    r, count = record.tolist(), int(record[0]) & 15
    objects = [[r[k] >> 4, r[k] & 15, r[k + 1] >> 6, r[k + 1] & 63, r[k + 2], r[k + 3]] for k in range(2, 2 + 4 * count, 4)]
    return r[0] >> 4, objects


def pack(record, objects):
    """A copy of a record with other objects."""
    out = record.copy()
    out[0], out[2:22] = (record[0] & 0xf0) | len(objects), 0
    for k, (shape, colour, texture, radius, x, y) in enumerate(objects):
        out[2 + 4 * k:6 + 4 * k] = shape << 4 | colour, texture << 6 | radius, x, y
    return out


def inside(o):
    """The object moved into the picture."""
    left, up, right, down = (int(np.ceil(reach * o[RADIUS])) for reach in EXTENTS[o[SHAPE]])
    return [*o[:X], min(max(o[X], left), 4 * SIDE - right), min(max(o[Y], up), 4 * SIDE - down)]


class Changes:
    """Makes scenes wrong; `rng` is numpy's generator."""

    def __init__(self, words, rng):
        self.captions, self.rng = Captions(words), rng

    def varied(self, record):
        """The record with what its caption leaves open drawn anew: background, colours, and which way round the picture is."""
        (groups, direction), (_, objects), rng = self.captions(record[22:]), unpack(record), self.rng
        side, owner = 4 * SIDE, 0
        flips = rng.random(2) < 0.5
        if direction is not None:
            flips[0 if direction[0] else 1] = False
        objects = [[*o[:X], *(side - v if flip else v for v, flip in zip(o[X:], flips))] for o in objects]
        if direction is None and rng.random() < 0.3:
            objects = [[*o[:X], o[Y], o[X]] for o in objects]
        for group in groups:
            colour = int(rng.integers(len(COLOURS)))
            for o in objects[owner:owner + group.count]:
                o[COLOUR] = o[COLOUR] if COLOUR in group.asks else colour
            owner += group.count
        out = pack(record, [inside(o) for o in objects])
        out[0] = int(rng.integers(4)) << 4 | len(objects)
        return out if shows((groups, direction), unpack(out)[1]) else record

    def __call__(self, record, count):
        """(a wrong record, the kinds of its changes, at most `count` of them), or None where no change was found.

        Every change alone would make the picture wrong, and no two are of one kind.
        """
        prompt, (_, objects) = self.captions(record[22:]), unpack(record)
        owners = [g for g, group in enumerate(prompt[0]) for _ in range(group.count)]
        order, kinds = [str(kind) for kind in self.rng.choice(KINDS, len(KINDS), replace=False, p=KIND_SHARES)], []
        if count > 1:  # a lost object would take earlier changes with it, and an added one would belong to no group
            order.sort(key='count'.__eq__)
        for kind in order:
            alone = self.change(kind, prompt, unpack(record)[1], owners)
            if alone is None or shows(prompt, alone):
                continue
            changed = self.change(kind, prompt, objects, owners) if kinds else alone
            if not shows(prompt, changed):
                objects, kinds = changed, [*kinds, kind]
            if len(kinds) == count:
                break
        return (pack(record, [inside(o) for o in objects]), kinds) if kinds else None

    def change(self, kind, prompt, objects, owners):
        """Other objects, or None where the kind does not apply; they may still be right by chance."""
        groups = prompt[0]
        if kind == 'count':
            return self.recount(prompt, objects, owners)
        if kind == 'relation':
            return self.turn(prompt[1], objects)
        if kind == 'exchange':
            return self.exchange(groups, objects, owners)
        place = {'colour': COLOUR, 'shape': SHAPE, 'texture': TEXTURE, 'size': RADIUS}[kind]
        return self.repaint(place, groups, objects, owners)

    def repaint(self, place, groups, objects, owners):
        """One object, or all of a group that names this property, with another value."""
        named = [g for g, group in enumerate(groups) if place in group.asks]
        if not named:
            return None
        g = self.rng.choice(named)
        members = [k for k, owner in enumerate(owners) if owner == g]
        members = members if self.rng.random() < 0.5 else [self.rng.choice(members)]
        old = groups[g].asks[place]
        values = {COLOUR: len(COLOURS), SHAPE: len(SHAPES), TEXTURE: len(TEXTURES), RADIUS: len(SIZES) - (len(objects) > 2)}[place]
        value = int(self.rng.choice([v for v in range(values) if v != old]))
        value = RADII[value] if place == RADIUS else value
        return [[*o[:place], value, *o[place + 1:]] if k in members else o for k, o in enumerate(objects)]

    def recount(self, prompt, objects, owners):
        """One object less, or one more where that is wrong."""
        groups, direction = prompt
        k = int(self.rng.integers(len(objects)))
        more = self.rng.random() < 0.5 and (groups[owners[k]].exact or says_all(groups, direction))
        like = objects[k]
        if more and says_all(groups, direction) and self.rng.random() < 0.5:  # something that nobody asked for
            like = [int(self.rng.integers(len(SHAPES))), int(self.rng.integers(len(COLOURS))), *like[TEXTURE:]]
        free = self.free(objects, like) if more else None
        return objects[:k] + objects[k + 1:] if free is None else [*objects, free]

    def free(self, objects, like):
        """A copy of an object on a free place, or None."""
        for _ in range(30 if len(objects) < MOST else 0):
            new = inside([*like[:X], *(int(v) for v in self.rng.integers(4 * SIDE, size=2))])
            if all(np.hypot(new[X] - o[X], new[Y] - o[Y]) > new[RADIUS] + o[RADIUS] + 4 for o in objects):
                return new
        return None

    def turn(self, direction, objects):
        """The whole picture mirrored against the relation, or turned over the diagonal."""
        if direction is None:
            return None
        if self.rng.random() < 0.25:
            return [[*o[:X], o[Y], o[X]] for o in objects]
        side = 4 * SIDE
        return [[*o[:X], side - o[X], o[Y]] if direction[0] else [*o[:X], o[X], side - o[Y]] for o in objects]

    def exchange(self, groups, objects, owners):
        """Colours (or else shapes, or textures) of two groups changed about."""
        if len(groups) < 2:
            return None
        a, b = self.rng.choice(len(groups), 2, replace=False)
        place = self.rng.choice([COLOUR, COLOUR, SHAPE, TEXTURE])
        values = {g: objects[owners.index(g)][place] for g in (a, b)}
        other = {a: values[b], b: values[a]}
        return [[*o[:place], other.get(owner, o[place]), *o[place + 1:]] for o, owner in zip(objects, owners)]
