"""Captions that are nearly a given one: a count off by one, the relation turned, two attributes exchanged, one word replaced.

Whether a picture shows them is for the caller to find out. A caption is word ids [20], 0 behind.
"""
import numpy as np

from changes import COUNTS as NUMBERS
from changes import DIRECTIONS
from renderer import COLOURS, SHAPES

WORDS = 20
PLURALS = ['crosses' if shape == 'cross' else shape + 's' for shape in SHAPES]
COUNT_WORDS = ['', 'one', 'two', 'three', 'four', 'five']
OPPOSITE = {'left': 'right', 'right': 'left', 'above': 'below', 'below': 'above'}
TEXTURES, SIZES = ['striped', 'dotted'], ['small', 'large']
# How often each change is tried: what the verifiers find hardest to see comes most often.
CHANGES = {'relation': 3.0, 'count': 2.0, 'exchange': 2.5, 'colour': 1.0, 'shape': 1.0, 'texture': 0.7, 'size': 0.4}


def mirrored(caption, words):
    """The caption of the mirrored picture: left for right."""
    left, right = words.index('left') + 1, words.index('right') + 1
    out = caption.copy()
    out[caption == left], out[caption == right] = right, left
    return out


class HardCaptions:
    def __init__(self, words, rng):
        self.words, self.ids, self.rng = words, {word: i + 1 for i, word in enumerate(words)}, rng
        self.names, shares = list(CHANGES), np.array(list(CHANGES.values()))
        self.shares = shares / shares.sum()

    def __call__(self, caption):
        """A changed caption, or None where the change that was drawn does not apply."""
        parts = self.parts([self.words[i - 1] for i in caption if i])
        change = str(self.rng.choice(self.names, p=self.shares))
        done = getattr(self, change)(parts)
        return self.pack(parts) if done else None

    def parts(self, words):
        """[group, the words between, group, ...]; a group is {article, count, size, texture, colour, shape}."""
        parts = []
        for word in words:
            if word in NUMBERS:
                parts.append({'count': NUMBERS[word], 'article': word in ('a', 'an'), 'size': None, 'texture': None, 'colour': None})
            elif word in SIZES:
                parts[-1]['size'] = word
            elif word in TEXTURES:
                parts[-1]['texture'] = word
            elif word in COLOURS:
                parts[-1]['colour'] = word
            elif word in SHAPES or word in PLURALS:
                parts[-1]['shape'] = (SHAPES if word in SHAPES else PLURALS).index(word)
            elif parts and isinstance(parts[-1], list):
                parts[-1].append(word)
            else:
                parts.append([word])
        return parts

    def pack(self, parts):
        words = []
        for part in parts:
            if isinstance(part, list):
                words += part
                continue
            rest = [part[name] for name in ('size', 'texture', 'colour') if part[name]]
            rest.append((SHAPES if part['count'] == 1 else PLURALS)[part['shape']])
            article = 'an' if rest[0][0] in 'aeiou' else 'a'
            words += [article if part['article'] and part['count'] == 1 else COUNT_WORDS[part['count']], *rest]
        return np.array([self.ids[word] for word in words] + [0] * (WORDS - len(words)), np.uint8)

    @staticmethod
    def groups(parts):
        return [part for part in parts if isinstance(part, dict)]

    def relation(self, parts):
        for part in parts:
            if isinstance(part, list):
                for i, word in enumerate(part):
                    if word in DIRECTIONS:
                        part[i] = OPPOSITE[word] if self.rng.random() < 0.75 else str(self.rng.choice(list(OPPOSITE)))
                        self.mend(part, i)
                        return True
        return False

    @staticmethod
    def mend(part, at):
        """left and right are followed by "of", above and below are not."""
        sideways = part[at] in ('left', 'right')
        part[:] = [*(part[:at] if sideways else []), part[at], *(['of'] if sideways else [])]

    def count(self, parts):
        groups = self.groups(parts)
        group = groups[self.rng.integers(len(groups))]
        total = sum(other['count'] for other in groups)
        counts = [n for n in (group['count'] - 1, group['count'] + 1) if n >= 1 and total + n - group['count'] <= 5]
        if not counts:
            return False
        group['count'] = int(self.rng.choice(counts))
        group['article'] = group['count'] == 1 and group['article']
        return True

    def exchange(self, parts):
        groups = self.groups(parts)
        if len(groups) < 2:
            return False
        a, b = (groups[i] for i in self.rng.choice(len(groups), 2, replace=False))
        names = [name for name in ('colour', 'texture', 'shape', 'count') if a[name] != b[name]]
        if not names or len({group['shape'] for group in groups}) < len(groups):
            return False
        name = str(self.rng.choice(names))
        a[name], b[name] = b[name], a[name]
        if name == 'count':
            a['article'], b['article'] = b['article'], a['article']
        return True

    def replace(self, parts, name, values, used):
        groups = [group for group in self.groups(parts) if group[name] is not None]
        values = [value for value in values if value not in {group[name] for group in groups} or not used]
        if not groups or not values:
            return False
        group = groups[self.rng.integers(len(groups))]
        group[name] = self.rng.choice([value for value in values if value != group[name]]).item()
        return True

    def colour(self, parts):
        return self.replace(parts, 'colour', COLOURS, used=True)

    def shape(self, parts):
        return self.replace(parts, 'shape', range(len(SHAPES)), used=True)

    def texture(self, parts):
        return self.replace(parts, 'texture', TEXTURES, used=False)

    def size(self, parts):
        return self.replace(parts, 'size', SIZES, used=False)
