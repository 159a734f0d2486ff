"""The toybox's Aesthetic Score: LAION's five linear layers over CLIP's normalised image vectors, trained on ratings from 10
(clean: drawn, or through the autoencoder) down to 1 (as damaged as damage.py can).
"""
import numpy as np
import torch

from clip import normalise
from damage import DAMAGES, damage, draw
from image_reward import LinearHead
from loop import DEVICE, Phase, autocast, load_averaged
from reward_training import load_clip

BEST, WORST = 10.0, 1.0


def rating(severity):
    return BEST - (BEST - WORST) * severity


@torch.no_grad()
def rated_vectors(clip, scenes, codec, count, rng):
    """Vectors [count, 4, D] of one scene each, and their severities: clean, then slightly to heavily damaged in one way; and the
    ways [count]."""
    vectors, severities, ways = [], [], rng.integers(len(DAMAGES), size=count)
    for way, kind in enumerate(DAMAGES):
        numbers = rng.choice(len(scenes), int((ways == way).sum()), replace=False)
        for part in np.array_split(numbers, -(-len(numbers) // 48)) if len(numbers) else ():
            records = np.asarray(scenes.records[np.sort(part)])
            images = draw(scenes, records)
            through = torch.from_numpy(rng.random(len(images)) < 0.5).to(DEVICE)
            images[through] = codec(images[through])
            severity = (torch.arange(4, device=DEVICE) - torch.rand(len(images), 4, device=DEVICE) * 0.8).clamp(min=0) / 3
            severity[:, 0] = 0
            levels = [images, *(damage(kind, images, severity[:, k], records, codec, rng) for k in (1, 2, 3))]
            with autocast():
                vectors.append(torch.stack([clip.image(normalise(x)) for x in levels], 1))
            severities.append(severity)
    return torch.cat(vectors).float(), torch.cat(severities), np.sort(ways)


@torch.no_grad()
def whiten(head, vectors):
    """Starts the first layer with the vectors' whitening: they lie in a narrow cone, where gradients get nowhere."""
    mean, centred = vectors.mean(0), vectors - vectors.mean(0)
    values, axes = torch.linalg.eigh(centred.t() @ centred / len(vectors))
    first = head.layers['0']
    first.weight.copy_(first.weight @ (axes / (values + 1e-4 * values.max()).sqrt()) @ axes.t())
    first.bias.copy_(-first.weight @ mean)
    head.layers['7'].bias.fill_((BEST + WORST) / 2)


def train_aesthetic(args, scenes, codec):
    clip, rng = load_clip(args.out, scenes.words), np.random.default_rng(7)
    vectors, severity, _ = rated_vectors(clip, scenes, codec, args.rated, rng)
    vectors, ratings = vectors.flatten(0, 1), rating(severity.flatten())
    model = LinearHead(vectors.shape[-1]).to(DEVICE)
    whiten(model, vectors)
    phase = Phase('aesthetic', args.out, args.minutes['aesthetic'], model, lr=0.0, adam_lr=5e-4, plain=('layers',), decay_from=0.2,
                  ema=0.99)

    def loss_of_step(step):
        pick = torch.randint(len(vectors), (512,), device=DEVICE)
        loss = (model(vectors[pick]) - ratings[pick]).square().mean()
        return loss, {'loss': loss.detach()}

    return phase.run(loss_of_step, 20 * args.log_every)


def load_aesthetic(out, clip):
    return load_averaged(LinearHead(clip.sizes['embed']), out, 'aesthetic')


@torch.no_grad()
def aesthetic_score(head, clip, scenes, codec, count=400):
    """Share of unseen pairs of one scene in which the less damaged picture scores higher: clean against damaged, by way and over
    all, and over all degrees (those at least a tenth apart); and the mean error of the ratings."""
    vectors, severity, ways = rated_vectors(clip, scenes, codec, count, np.random.default_rng(8))
    scores = head(vectors.flatten(0, 1)).view_as(severity)
    clean = (scores[:, :1] > scores[:, 1:]).float().cpu()
    apart = severity[:, None] - severity[:, :, None] > 0.1
    graded = (scores[:, :, None] > scores[:, None])[apart]
    figures = {'clean against damaged': clean.mean(), 'clean against heavily damaged': clean[:, 2].mean(),
               'graded': graded.float().mean(),
               'error': (scores - rating(severity)).abs().mean(),
               **{kind: clean[torch.from_numpy(ways == i)].mean() for i, kind in enumerate(DAMAGES)}}
    return {name: round(float(value), 4) for name, value in figures.items()}
