"""Pictures that the embedded model drew (training/on-policy.ts): read, decoded, and put together in groups of hard pairs.

A batch of groups is captions [B, M] and pictures [B, P] with a label for every pair: 1 the picture shows the caption, 0 it does not,
-1 nobody knows. The labels are the detector's: its own where picture and prompt are as drawn; `shows` on the objects that it found
for changed captions, and for pictures that are mirrored or shifted.
"""
import json
from dataclasses import dataclass

import numpy as np
import torch

from changes import COLOUR, DIRECTIONS, EXTENTS, RADIUS, SHAPE, SIDE, X, Y, Captions, shows
from hard_captions import HardCaptions, mirrored
from loop import DEVICE, autocast
from renderer import SHAPES
from vae import grow

HEADER, BITS, WORDS, SCALES = 4096, 260, 20, (1, 2, 3, 4, 6, 8)
PICTURES, CAPTIONS = 4, 4


def unpacked(pictures):
    """Packed bits [N, 260] -> [N, tokens, 16] of 0 and 1."""
    return np.unpackbits(pictures[:, :BITS], axis=1).reshape(len(pictures), -1, 16)


def sum_of_codes(bits, scales=len(SCALES)):
    """The sum of the first scales' codes on the last grid: [N, tokens, 16] -> [N, 16, 8, 8]."""
    total, at = 0, 0
    for side in SCALES[:scales]:
        codes = torch.from_numpy(bits[:, at:at + side * side].astype(np.float32) * 2 - 1).transpose(1, 2)
        total = total + grow(codes.reshape(len(bits), 16, side, side).to(DEVICE) / 4, (SCALES[-1],) * 2)
        at += side * side
    return total


@torch.no_grad()
def decode(vae, bits, scales=len(SCALES), batch=64 if DEVICE == 'cpu' else 1024):
    """Pictures uint8 [N, 3, 64, 64] of bits, of all scales or of the first ones."""
    out = []
    for at in range(0, len(bits), batch):
        with autocast():
            images = vae.decoder(sum_of_codes(bits[at:at + batch], scales)).float()
        out.append(((images.clamp(-1, 1) + 1) * 127.5 + 0.5).floor().byte().cpu())
    return torch.cat(out)


class OnPolicy:
    """All parts of a folder, and those that come; `pixels` is a folder with the pictures where the drawing kept them."""

    def __init__(self, folder, vae, pixels=None):
        self.folder, self.vae, self.pixels, self.known = folder, vae, pixels, 0
        self.groups, self.labels, self.images, self.previews = [], [], [], {}
        self.rng = np.random.default_rng(7)
        self.refresh()

    def refresh(self, most=10 ** 6):
        """Reads parts that have been written since."""
        for path in sorted(self.folder.glob('part-*.bin'))[self.known:self.known + most]:
            raw = np.fromfile(path, np.uint8)
            self.header = json.loads(raw[:HEADER].tobytes())
            records = raw[HEADER:].reshape(self.header['groups'], -1)
            count, size = self.header['pictures'], self.header['picture']
            pictures = records[:, self.header['group']:].reshape(len(records), count, size)
            self.groups.append(records[:, :self.header['group']])
            self.labels.append(pictures[:, :, BITS:])
            self.images.append(self.read_pixels(path, pictures))
            self.preview(len(self.groups) - 1, pictures)
            self.known += 1
        self.ready()

    def read_pixels(self, path, pictures):
        kept = self.pixels / f'{path.stem}.rgb' if self.pixels else None
        if kept and kept.exists():
            flat = np.fromfile(kept, np.uint8).reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)
            images = torch.from_numpy(np.ascontiguousarray(flat))
        else:
            images = decode(self.vae, unpacked(pictures.reshape(-1, pictures.shape[-1])))
        return images.view(len(pictures), -1, 3, SIDE, SIDE)

    def preview(self, part, pictures):
        """One group in eight is also seen as the sum of its first scales: {group: (scales, pictures)}."""
        before, some = sum(len(groups) for groups in self.groups[:part]), np.arange(0, len(pictures), 8)
        scales = self.rng.integers(1, len(SCALES), len(some))
        for k in np.unique(scales):
            which = some[scales == k]
            decoded = decode(self.vae, unpacked(pictures[which].reshape(-1, pictures.shape[-1])), int(k))
            for g, own in zip(which, decoded.view(len(which), -1, *decoded.shape[1:])):
                self.previews[before + int(g)] = int(k), own

    def ready(self):
        if not self.groups:
            raise SystemExit(f'{self.folder} holds no parts yet: draw some with training/on-policy.ts')
        self.words, self.kinds = self.header['vocabulary'], self.header['kinds']
        self.all_groups, self.all_labels = np.concatenate(self.groups), np.concatenate(self.labels)
        flat = [part.flatten(0, 1) for part in self.images] + [pictures for _, (_, pictures) in sorted(self.previews.items())]
        self.bank = torch.cat(flat).to(DEVICE)  # pictures of all groups, then previews
        self.right = self.all_labels[:, :, 0] == 0
        share = self.right.mean(1)
        self.mixed = np.nonzero((share > 0) & (share < 1))[0]
        self.seen = np.array(sorted(self.previews))

    def __len__(self):
        return len(self.all_groups)

    def caption(self, g):
        return self.all_groups[g, :WORDS]

    def objects(self, g, k):
        """What the detector found in a picture, as in changes.py."""
        row = self.all_labels[g, k]
        flat = row[3:3 + 4 * min(int(row[2]), 8)].reshape(-1, 4).tolist()
        return [[a >> 4, a & 15, b >> 6, b & 63, x, y] for a, b, x, y in flat]

    def image(self, g, k):
        return self.bank[self.place(g, k)]

    def place(self, g, k, preview=False):
        """Where a picture is in the bank."""
        count = self.all_labels.shape[1]
        return int(np.searchsorted(self.seen, g) + len(self)) * count + k if preview else g * count + k

    def pictures(self, refs):
        """Pictures uint8 [N, 3, 64, 64] on the device of places and turns [N, 2]."""
        places, turns = torch.from_numpy(refs).to(DEVICE).unbind(1)
        images = self.bank[places]
        images = torch.where((turns & MIRRORED > 0).view(-1, 1, 1, 1), images.flip(-1), images)
        return torch.where((turns & SHIFTED > 0).view(-1, 1, 1, 1), images.roll(SIDE // 2, -2), images)


# How a picture is turned: left and right exchanged, upper and lower half exchanged.
MIRRORED, SHIFTED = 1, 2


@dataclass
class Batch:
    """Word ids [B, M, 20], labels [B, P, M], and the pictures: places and turns [B, P, 2] in OnPolicy's bank, or uint8
    [B, P, 64, 64, 3]. Plain arrays, so that other processes can make them."""
    captions: np.ndarray
    labels: np.ndarray
    refs: np.ndarray = None
    pixels: np.ndarray = None


def flipped(objects):
    """Left and right exchanged."""
    return [[*o[:X], 4 * SIDE - o[X], o[Y]] for o in objects]


def halves_apart(objects):
    """Whether every object lies in the upper or in the lower half, clear of the middle."""
    reach = [(EXTENTS[o[SHAPE]] if o[SHAPE] < len(SHAPES) else (1.2,) * 4) for o in objects]
    clear = 2 * SIDE
    return all(o[Y] + r[3] * o[RADIUS] < clear - 4 or o[Y] - r[1] * o[RADIUS] > clear + 4 for o, r in zip(objects, reach))


def shifted(objects):
    """Upper and lower half exchanged."""
    return [[*o[:Y], (o[Y] + 2 * SIDE) % (4 * SIDE)] for o in objects]


class Groups:
    """Draws batches: half of the pictures of a group right where there are such, hard false captions, mirrored and shifted ones."""

    def __init__(self, data, seed):
        self.data, self.rng = data, np.random.default_rng(seed)
        self.read, self.hard = Captions(data.words), HardCaptions(data.words, self.rng)

    def __call__(self, size):
        made = [self.group() for _ in range(size)]
        captions, refs, labels = [], [], []
        for i, (own, some, objects, known) in enumerate(made):
            if self.rng.random() < 0.5:
                own = [*own[:-1], made[i - 1][0][0]]
            prompts = [self.read(caption) for caption in own]
            label = [[int(shows(prompt, seen)) for prompt in prompts] for seen in objects]
            for row, told in zip(label, known):
                row[0] = row[0] if told is None else told
            captions.append(np.stack(own))
            refs.append(some)
            labels.append(label)
        return Batch(np.stack(captions), np.array(labels), refs=np.array(refs))

    def group(self):
        """(captions, places and turns of the pictures, their objects, the detector's own verdicts or None)"""
        data, rng = self.data, self.rng
        preview = len(data.seen) > 0 and rng.random() < 0.1
        pool = data.seen if preview else data.mixed if rng.random() < 0.8 else np.arange(len(data))
        g = int(rng.choice(pool))
        picks = self.pick(g)
        refs = [[data.place(g, k, preview), 0] for k in picks]
        objects, known = [data.objects(g, k) for k in picks], [int(data.right[g, k]) for k in picks]
        caption = data.caption(g)
        if rng.random() < 0.5:
            caption, objects = mirrored(caption, data.words), [flipped(seen) for seen in objects]
            refs = [[place, MIRRORED] for place, _ in refs]
        if not preview and rng.random() < 0.7:
            self.turn(caption, refs, objects, known)
        return self.captions(caption, objects), refs, objects, known

    def pick(self, g):
        """Two right and two wrong pictures where there are as many; the wrong ones with a single fault first."""
        right, rng = self.data.right[g], self.rng
        yes, no = rng.permutation(np.nonzero(right)[0]), np.nonzero(~right)[0]
        faults = self.data.all_labels[g, no, 0]
        single = (faults & (faults - 1)) == 0
        no = no[np.argsort(rng.random(len(no)) + ~single * 0.6)]
        take = min(len(yes), max(PICTURES // 2, PICTURES - len(no)))
        return [*yes[:take], *no[:PICTURES - take]]

    def turn(self, caption, refs, objects, known):
        """Makes a right picture's relation wrong: mirrored, or its halves exchanged; it takes the place of another picture."""
        prompt = self.read(caption)
        if prompt[1] is None or 1 not in known:
            return
        source = known.index(1)
        sideways = prompt[1][0] != 0
        if not sideways and not halves_apart(objects[source]):
            return
        seen = flipped(objects[source]) if sideways else shifted(objects[source])
        if shows(prompt, seen):
            return
        place = next((i for i in range(PICTURES) if i != source and known[i] == 1), PICTURES - 1)
        if place == source:
            return
        refs[place] = [refs[source][0], refs[source][1] ^ (MIRRORED if sideways else SHIFTED)]
        objects[place], known[place] = seen, None

    def captions(self, caption, objects):
        """The prompt and three changed ones; one of them is right for one of the wrong pictures where that is found."""
        found = [caption]
        prompt = self.read(caption)
        wrong = [seen for seen in objects if not shows(prompt, seen)]
        for attempt in range(14):
            if len(found) == CAPTIONS:
                break
            other = self.hard(caption)
            new = other is not None and not any((other == known).all() for known in found)
            # The first tries look for a caption that a wrong picture shows.
            if new and (attempt > 8 or not wrong or any(shows(self.read(other), seen) for seen in wrong)):
                found.append(other)
        while len(found) < CAPTIONS:
            found.append(found[-1])
        return found


def pairs(scores, labels):
    """Differences that ought to be positive, of scores and labels [B, P, M]: (two pictures of a caption, two captions of a picture)."""
    right, wrong = labels == 1, labels == 0
    pictures = (scores[:, :, None] - scores[:, None])[right[:, :, None] & wrong[:, None]]
    captions = (scores[..., :, None] - scores[..., None, :])[right[..., :, None] & wrong[..., None, :]]
    return pictures, captions


@torch.no_grad()
def measured(data, score):
    """Of held-out groups: how often a right picture scores higher than a wrong one of its prompt (ties count half), over all pairs, by
    the wrong one's only fault, by kind of prompt, and among the completions of one prefix by its scales.

    `score(caption [20], pictures uint8 [N, 3, 64, 64])` gives [N] scores.
    """
    table, faults = {}, data.header['faults']
    for g in range(len(data)):
        right, mask, scales = data.right[g], data.all_labels[g, :, 0], int(data.all_groups[g, WORDS + 3])
        if right.all() or not right.any():
            continue
        scores = np.asarray(score(data.caption(g), torch.stack([data.image(g, k) for k in range(len(right))])))
        for a in np.nonzero(right)[0]:
            for b in np.nonzero(~right)[0]:
                won = 0.5 + 0.5 * np.sign(scores[a] - scores[b])
                names = ['all', data.kinds[data.all_groups[g, WORDS]]]
                names += [f'only {faults[i]}' for i in range(len(faults)) if mask[b] == 1 << i]
                names += [f'after {scales}'] if scales and a // 4 == b // 4 else []
                for name in names:
                    table.setdefault(name, []).append(won)
    return {name: {'pairs': len(won), 'right': round(float(np.mean(won)), 4)} for name, won in sorted(table.items())}


@torch.no_grad()
def measured_previews(data, score):
    """The same for the decode of the sum of the first scales: {scales: share of pairs}."""
    table = {}
    for g, (scales, pictures) in data.previews.items():
        right = data.right[g]
        if right.all() or not right.any():
            continue
        scores = np.asarray(score(data.caption(g), pictures))
        won = 0.5 + 0.5 * np.sign(scores[right][:, None] - scores[~right][None])
        table.setdefault(f'sum of {scales}', []).extend(won.flatten().tolist())
    return {name: {'pairs': len(won), 'right': round(float(np.mean(won)), 4)} for name, won in sorted(table.items())}
