"""Hard negatives for the verifier: captions with one word turned wrong, or two colours or shapes changed about."""
import numpy as np

from renderer import COLOURS, SHAPES

OPPOSITE = {'left': 'right', 'right': 'left', 'above': 'below', 'below': 'above', 'striped': 'dotted', 'dotted': 'striped',
            'small': 'large', 'large': 'small'}
COUNTS = ['two', 'three', 'four', 'five']
PLURALS = ['crosses' if s == 'cross' else s + 's' for s in SHAPES]


class Negatives:
    def __init__(self, words):
        self.words, self.id = words, {w: i + 1 for i, w in enumerate(words)}
        self.kinds = [np.array([self.id[w] for w in group]) for group in (COLOURS, SHAPES, PLURALS, COUNTS)]
        self.opposite = {self.id[a]: self.id[b] for a, b in OPPOSITE.items()}
        self.relations = {self.id[w] for w in ('left', 'right', 'above', 'below')}

    def __call__(self, record, rng):
        """A false caption [20] for a record [42]; the true one's wording is kept otherwise."""
        caption = record[22:].copy()
        moves = self.exchanges(caption) + [(self.replace, at) for at in range(len(caption)) if caption[at]]
        for pick in rng.permutation(len(moves)):
            how, where = moves[pick]
            wrong = how(caption, where, record, rng)
            if wrong is not None:
                return self.articles(wrong)
        return caption

    def articles(self, caption):
        """Puts a or an right, or else a false caption could be told by its grammar alone."""
        for at, word in enumerate(caption[:-1]):
            if word in (self.id['a'], self.id['an']):
                caption[at] = self.id['an' if self.words[caption[at + 1] - 1] == 'orange' else 'a']
        return caption

    def exchanges(self, caption):
        """Pairs of places that hold different colours (or different shapes): likelier than a single change."""
        moves = []
        for group in (self.kinds[0], self.kinds[1]):
            places = [i for i, w in enumerate(caption) if w in group]
            if len(places) == 2 and caption[places[0]] != caption[places[1]]:
                moves += [(self.exchange, places)] * 4
        return moves

    def exchange(self, caption, places, record, rng):
        """a red star and a blue ring -> a blue star and a red ring; only where something else tells the two apart."""
        wrong = caption.copy()
        wrong[places] = caption[places[::-1]]
        nouns = {int(w) for w in caption if w in self.kinds[1] or w in self.kinds[2]}
        if caption[places[0]] in self.kinds[1]:
            told = any(int(w) in self.opposite or w in self.kinds[0] for w in caption if w)
        else:
            told = len(nouns) > 1 or any(int(w) in self.relations for w in caption)
        return wrong if told else None

    def replace(self, caption, at, record, rng):
        word, wrong = int(caption[at]), caption.copy()
        if word in self.opposite:
            wrong[at] = self.opposite[word]
            return wrong
        for group, shift in zip(self.kinds, (0, 4, 4, None)):
            if word not in group:
                continue
            others = [w for w in group if w != word]
            if shift is not None:  # neither a colour nor a shape that the picture has
                n = record[0] & 15
                present = {int((record[2 + 4 * k] >> shift) & 15) for k in range(n)}
                others = [w for i, w in enumerate(group) if i not in present]
            wrong[at] = rng.choice(others)
            return wrong
        return None
