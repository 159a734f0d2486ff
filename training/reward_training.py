"""Trains and measures the toybox's ImageReward: pictures of one prompt, ranked by how well the drawn scene fits it.

A group is a prompt with five pictures: a right one, two with one change, one with two changes, and a damaged right one. It
meets four captions: its own, two false ones (negatives.py), and one of another group.
"""
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from changes import KINDS, Changes, shows, unpack
from clip import CLIP, normalise
from damage import DAMAGES, damage, draw
from image_reward import caption_ids, for_words, start_from_clip
from loop import DEVICE, Phase, autocast, load_averaged
from negatives import Negatives
from tokenizers_json import clip_vocabulary

PICTURES, FALSE = 5, 2
RIGHT, DAMAGED = 0, 4
CHANGES = (0, 1, 1, 2, 0)
# Groups from the autoencoder that training starts with; one more comes with every step.
FIRST_GROUPS = 96


@dataclass
class Groups:
    """P groups; the levels are 3 (right), 2 (one change), 1 (two changes), 0 (damaged)."""
    captions: np.ndarray  # word ids [P, 20]
    records: np.ndarray  # the scenes [P, 5, 42]
    kinds: list  # of the changes, [P][5][...]
    levels: torch.Tensor  # [P, 5]
    pictures: torch.Tensor  # uint8 [P, 5, 3, 64, 64]

    def __getitem__(self, index):
        return Groups(self.captions[index], self.records[index], [self.kinds[i] for i in index], self.levels[index],
                      self.pictures[index])

    def __add__(self, other):
        return Groups(np.concatenate((self.captions, other.captions)), np.concatenate((self.records, other.records)),
                      self.kinds + other.kinds, torch.cat((self.levels, other.levels)), torch.cat((self.pictures, other.pictures)))


class GroupMaker:
    def __init__(self, scenes, codec, seed):
        self.scenes, self.codec, self.rng = scenes, codec, np.random.default_rng(seed)
        self.changes, self.negatives = Changes(scenes.words, self.rng), Negatives(scenes.words)

    def groups(self, count, through=False):
        """Groups of random scenes; `through` the autoencoder with a few flipped bits, or as they are drawn."""
        index = np.sort(self.rng.choice(len(self.scenes), count, replace=False))
        made = [self.scenes_of(record) for record in np.asarray(self.scenes.records[index])]
        records = np.stack([[record for record, _ in group] for group in made])
        kinds = [[kinds for _, kinds in group] for group in made]
        levels = torch.tensor([[3 - len(k) for k in group] for group in kinds])
        levels[:, DAMAGED] = 0
        pictures = self.pictures(records, through)
        return Groups(records[:, 0, 22:], records, kinds, levels, ((pictures + 1) * 127.5).round().byte().cpu())

    def scenes_of(self, record):
        """[(record, kinds of its changes)] of the five pictures."""
        return [self.changes(self.changes.varied(record), n) if n else (self.changes.varied(record), []) for n in CHANGES]

    def pictures(self, records, through):
        flat = records.reshape(-1, records.shape[-1])
        images = draw(self.scenes, flat)
        if through:
            images = self.codec(images, torch.rand(len(images), device=DEVICE) * 0.03)
        images = images.view(len(records), PICTURES, *images.shape[1:])
        # Damage that needs the autoencoder only where the pictures have been there.
        kinds = DAMAGES if through else [kind for kind in DAMAGES if kind not in ('flips', 'early scales')]
        picks = self.rng.choice(len(kinds), len(records))
        for i, kind in enumerate(kinds):
            at = np.nonzero(picks == i)[0]
            if len(at):
                severity = 0.4 + 0.6 * torch.rand(len(at), device=DEVICE)
                images[at, DAMAGED] = damage(kind, images[at, DAMAGED], severity, records[at, DAMAGED], self.codec, self.rng)
        return images

    def captions(self, groups):
        """Captions [P, M, 20], and whether a picture is right for one: [P, 5, M] of 1, 0, and -1 for the damaged ones."""
        true = groups.captions
        false = [np.stack([self.negatives(r[RIGHT], self.rng) for r in groups.records]) for _ in range(FALSE)]
        captions = np.stack([true, *false, np.roll(true, 1, 0)], 1)
        right = torch.full((len(true), PICTURES, captions.shape[1]), -1)
        for p, records in enumerate(groups.records):
            prompts = [self.changes.captions(caption) for caption in captions[p]]
            for k in range(DAMAGED):
                objects = unpack(records[k])[1]
                right[p, k] = torch.tensor([shows(prompt, objects) for prompt in prompts]).int()
        return captions, right


def pairs(rewards, levels, right):
    """What ought to be positive, {name: differences [n]}, of rewards [P, 5, M].

    pictures: two pictures for one caption; captions: two captions for one picture; others: the right picture for a caption
    against the pictures of another group.
    """
    own = rewards[..., 0]
    better = levels[:, :, None] > levels[:, None]
    better[:, 1:, DAMAGED] = False  # a damaged picture is only known to be worse than a whole one of the same worth
    pictures = (own[:, :, None] - own[:, None])[better]
    false = (right[:, :, None, 1:-1] == 1) & (right[:, None, :, 1:-1] == 0)
    more = (rewards[:, :, None, 1:-1] - rewards[:, None, :, 1:-1])[false]
    told = (right[..., :, None] == 1) & (right[..., None, :] == 0)
    captions = (rewards[..., :, None] - rewards[..., None, :])[told]
    others = (own[:, RIGHT].roll(1)[:, None] - rewards[..., -1])[right[..., -1] == 0]
    return {'pictures': torch.cat((pictures, more)), 'captions': captions, 'others': others}


def score(model, groups, captions):
    """Rewards [P, 5, M] of groups with captions [P, M, 20]."""
    images = normalise(groups.pictures.to(DEVICE).float().flatten(0, 1) / 127.5 - 1)
    ids = caption_ids(captions).to(DEVICE).repeat_interleave(PICTURES, 0)
    return model(images, ids).view(len(captions), PICTURES, -1)


def load_clip(out, words):
    """The trained CLIP, averaged weights."""
    return load_averaged(CLIP(len(clip_vocabulary(words))), out, 'clip')


def load_image_reward(out, words):
    return load_averaged(for_words(words), out, 'image_reward')


def train_image_reward(args, scenes, codec):
    model = for_words(scenes.words).to(DEVICE)
    start = draw(scenes, np.asarray(scenes.records[:64]))
    start_from_clip(model.blip.visual_encoder, load_clip(args.out, scenes.words), normalise(start))
    phase = Phase('image_reward', args.out, args.minutes['image_reward'], model, lr=args.reward_lr, adam_lr=1e-3, decay_from=0.3,
                  ema=0.995, plain=('patch_embed', 'embeddings', 'mlp.layers'))
    size = args.batch['image_reward']
    maker = GroupMaker(scenes, codec, 5 + phase.step)
    kept = maker.groups(min(FIRST_GROUPS, 4 * size), through=True)

    def loss_of_step(step):
        nonlocal kept
        kept = kept + maker.groups(1, through=True)
        pick = maker.rng.choice(len(kept.captions), size // 2, replace=False)
        groups = kept[pick] + maker.groups(size - size // 2)
        captions, right = maker.captions(groups)
        with autocast():
            rewards = score(model, groups, captions)
        terms = pairs(rewards, groups.levels.to(DEVICE), right.to(DEVICE))
        losses = {name: F.softplus(-difference).mean() for name, difference in terms.items() if len(difference)}
        figures = {f'{name} right': (difference > 0).float().mean() for name, difference in terms.items() if len(difference)}
        return sum(losses.values()), {**{name: loss.detach() for name, loss in losses.items()}, **figures}

    return phase.run(loss_of_step, args.log_every)


@torch.no_grad()
def held_out_groups(scenes, codec, count):
    """Groups of unseen scenes, half of them through the autoencoder, and the maker for their captions."""
    maker = GroupMaker(scenes, codec, 6)
    return maker.groups(count // 2, through=True) + maker.groups(count - count // 2), maker


@torch.no_grad()
def score_all(model, groups, captions):
    return torch.cat([score(model, groups[np.arange(at, min(at + 16, len(captions)))], captions[at:at + 16])
                      for at in range(0, len(captions), 16)])


def deviation(model, scenes, codec, count=300):
    """(mean, deviation) of the rewards of unseen pictures for their prompts, right and wrong ones."""
    groups, _ = held_out_groups(scenes, codec, count)
    rewards = score_all(model, groups, groups.captions[:, None])
    return float(rewards.mean()), float(rewards.std())


def reward_score(model, scenes, codec, count=400):
    """Share of unseen pairs that are ranked right, over all pairs of pictures and by what is wrong with the worse one; half of the
    pictures have been through the autoencoder."""
    groups, maker = held_out_groups(scenes, codec, count)
    captions, right = maker.captions(groups)
    rewards = score_all(model, groups, captions)
    own, table = rewards[..., 0].cpu(), {}
    for p, kinds in enumerate(groups.kinds):
        for k in range(1, PICTURES):
            name = 'damaged' if k == DAMAGED else kinds[k][0] if len(kinds[k]) == 1 else 'two changes'
            table.setdefault(name, []).append(float(own[p, RIGHT] > own[p, k]))
    terms = pairs(rewards, groups.levels.to(rewards.device), right.to(rewards.device))
    table['unrelated'] = (terms['others'] > 0).float().tolist()
    one = sum((values for name, values in table.items() if name in KINDS), [])
    figures = {'pairs': np.mean(sum(table.values(), [])), 'one change': np.mean(one),
               **{name: np.mean(values) for name, values in sorted(table.items())},
               'graded': (terms['pictures'] > 0).float().mean(), 'captions': (terms['captions'] > 0).float().mean()}
    return {name: round(float(value), 4) for name, value in figures.items()}
