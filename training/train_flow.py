"""Trains toybox-flow, phase after phase: python3 training/train_flow.py all --out .work/flow

autoencoder  FLUX's continuous autoencoder in miniature, started from the BSQ one of assets/toybox where shapes allow
flow         the transformer, with the embedded Infinity's text encoder and CLIP's text tower frozen; one caption in ten is dropped
             for real guidance
Every phase goes on where it was killed; a phase that has used its minutes is skipped.
"""
import argparse
import json
import multiprocessing
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as mp

from autoencoder import AutoEncoder, pack
from clip import TextTower
from data import FIRST, Scenes, tokens
from files import read_safetensors, write_safetensors
from flux import Flux, image_ids
from loop import DEVICE, Phase, autocast, load_averaged
from t5 import T5Encoder
from team import Team
from tokenizers_json import clip_vocabulary, clip_word_ids
from train import KIND_WEIGHTS, psnr, reconstruction_loss, scene_batches

ROOT = Path(__file__).resolve().parent.parent
SIDE = 16  # of the latent
TEXT = 24  # text tokens, padding included
IDS = image_ids(SIDE // 2, SIDE // 2)
GPU = DEVICE == 'cuda'


def train_autoencoder(args, scenes):
    """Reconstruction from a latent drawn around its mean; the KL term sets how much noise the decoder bears (about a tenth of the error)."""
    model = AutoEncoder().to(DEVICE)
    print('taken from the BSQ autoencoder:', model.start_from(torch.load(args.assets / 'vae.pth', map_location=DEVICE)['vae']))
    phase = Phase('autoencoder', args.out, args.minutes['autoencoder'], model, lr=0.02, adam_lr=2e-3,
                  plain=('conv_in', 'conv_out'), decay_from=0.4, ema=0.998)
    batches = scene_batches(scenes, args.batch['autoencoder'], 11 + phase.step)

    def loss_of_step(step):
        index = next(batches)
        images = scenes.images(index).to(DEVICE)
        with autocast():
            mean, deviation = model.encode(images)
            out = model.decoder(mean + deviation * torch.randn_like(mean)).float()
        kl = 0.5 * (mean.square() + deviation.square() - 1 - 2 * deviation.log()).mean()
        loss = reconstruction_loss(out, images, scenes.objects(index, images)) + args.kl * kl
        return loss, {'psnr': psnr(out, images).detach(), 'kl': kl.detach(), 'mean': mean.detach().std(), 'deviation': deviation.detach().mean()}

    return phase.run(loss_of_step, args.log_every)


class Texts:
    """Word ids [B, 20] -> T5's states [B, 24, 256] and CLIP's pooled states [B, 128].

    As FLUX has it, T5 sees the padding (no mask). CLIP's text tower is copied beside the training at its start, for good:
    a later retraining of the verifier must not move the conditions under a trained transformer.
    """

    def __init__(self, args, words):
        frozen = args.out / 'clip-text.safetensors'
        if not frozen.exists():
            state = read_safetensors(args.assets / 'clip/model.safetensors')
            write_safetensors(frozen, {k: v for k, v in state.items() if k.startswith('text_model.')})
        state = {k[len('text_model.'):]: v.float() for k, v in read_safetensors(frozen).items()}
        layers = len({k.split('.')[2] for k in state if k.startswith('encoder.layers.')})
        self.clip = TextTower(128, layers, len(clip_vocabulary(words)), 24)
        self.clip.load_state_dict(state)
        self.t5 = T5Encoder(len(words) + FIRST)
        self.t5.load_state_dict({k: v.float() for k, v in read_safetensors(args.assets / 'text-encoder/model.safetensors').items()})
        for model in self.clip, self.t5:
            model.to(DEVICE).eval().requires_grad_(False)
        self.words = words

    @torch.no_grad()
    def __call__(self, words):
        t5_ids, clip_ids = text_ids(words, self.words)
        whole = torch.full((len(t5_ids),), TEXT, device=DEVICE)
        return self.t5(t5_ids.to(DEVICE), whole).float(), self.clip(clip_ids.to(DEVICE)).float()


clip_ids_of = lru_cache(None)(clip_word_ids)


def text_ids(words, vocabulary):
    """Word ids [B, 20] -> ids for T5 (end token, then zeros) and for CLIP (begin, words, end, and the end token as padding), [B, 24] each."""
    words = np.asarray(words)
    t5 = torch.zeros(len(words), TEXT, dtype=torch.long)
    t5[:, :words.shape[1] + 1] = tokens(words)[0]
    word_ids, begin, end = clip_ids_of(tuple(vocabulary))
    clip = torch.full((len(words), TEXT), end)
    clip[:, 0] = begin
    clip[:, 1:1 + words.shape[1]] = torch.tensor([end, *word_ids])[torch.from_numpy(words.astype(np.int64))]
    return t5, clip


class Latents:
    """Packed latents of the first scenes, mean and deviation in half precision on disk [N, 2, 64, 16]; grows as scenes are encoded.

    What is picked are means, brought to mean 0 and deviation 1 (`scale_factor` and `shift_factor` of the file): noise that the
    decoder bears anyway would only be noise to learn.
    """

    def __init__(self, args, scenes):
        self.scenes, self.model = scenes, load_autoencoder(args.out)
        self.counter, path = args.out / 'latents.done', args.out / 'latents.npy'
        if not path.exists():
            z = self.model.sizes['z_channels']
            np.lib.format.open_memmap(path, 'w+', np.float16, (min(args.pool, len(scenes)), 2, SIDE * SIDE // 4, 4 * z))
            self.counter.write_text('0')
        self.pool, self.done = np.load(path, mmap_mode='r+'), int(self.counter.read_text())
        while self.done < min(args.first, len(self.pool)):
            self.grow(64)
        self.kinds = np.array([KIND_WEIGHTS[kind] for kind in scenes.header['kinds']])
        figures = args.out / 'latents.json'
        if not figures.exists():
            means = self.pool[:min(self.done, 4000), 0].astype(np.float32)
            figures.write_text(json.dumps({'shift_factor': round(float(means.mean()), 4), 'scale_factor': round(float(1 / means.std()), 4)}))
        self.figures = json.loads(figures.read_text())

    def grow(self, count):
        """Encodes the next scenes, at most to the end of the pool."""
        index = np.arange(self.done, min(self.done + count, len(self.pool)))
        if len(index):
            with torch.no_grad(), autocast():
                both = self.model.encode(self.scenes.images(index).to(DEVICE))
            self.pool[index] = torch.stack([pack(x) for x in both], 1).half().cpu().numpy()
            self.done += len(index)
            self.counter.write_text(str(self.done))

    def pick(self, rng, count):
        """Records and packed latents [count, 64, 16]."""
        p = self.kinds[self.scenes.records[:self.done, 1]]
        index = np.sort(rng.choice(self.done, count, replace=False, p=p / p.sum()))
        latent = torch.from_numpy(self.pool[index, 0].astype(np.float32)).to(DEVICE)
        return np.asarray(self.scenes.records[index]), (latent - self.figures['shift_factor']) * self.figures['scale_factor']


class DeviceLatents:
    """The same on a GPU: all of the pool is encoded first and stays in the device's memory."""

    def __init__(self, args, scenes):
        self.scenes, model, pool = scenes, load_autoencoder(args.out), min(args.pool, len(scenes))
        means, chunks = [], range(0, pool, 1024)
        with multiprocessing.get_context('fork').Pool(args.workers, Rendered.begin, (scenes, pool)) as renderers:
            for images in renderers.imap(Rendered.draw, chunks):
                with torch.no_grad(), autocast():
                    means.append(pack(model.encode(torch.from_numpy(images).to(DEVICE).float() / 127.5 - 1)[0]).half())
        self.means, self.figures = torch.cat(means), json.loads((args.out / 'latents.json').read_text())
        weights = np.array([KIND_WEIGHTS[kind] for kind in scenes.header['kinds']])[scenes.records[:pool, 1]].astype(np.float64)
        self.share = np.cumsum(weights / weights.sum())

    def pick(self, rng, count):
        index = np.searchsorted(self.share, rng.random(count)).clip(max=len(self.share) - 1)
        latent = self.means[torch.from_numpy(index).to(DEVICE)].float()
        return self.scenes.records[index], (latent - self.figures['shift_factor']) * self.figures['scale_factor']


class Rendered:
    """What a process that draws scenes holds."""
    scenes = pool = None

    @classmethod
    def begin(cls, scenes, pool):
        torch.set_num_threads(1)
        cls.scenes, cls.pool = scenes, pool

    @classmethod
    def draw(cls, start):
        """Pictures uint8 [N, 3, 64, 64] of the 1024 scenes from a place on."""
        images = cls.scenes.images(np.arange(start, min(start + 1024, cls.pool)))
        return ((images + 1) * 127.5).round().byte().numpy()


def times(count, shift=0.7):
    """Logit-normal, moved towards noise, where it is decided what stands where (the decoder bears the noise of times below 0.2); one
    in ten is uniform. One draw from each of `count` equal shares, in any order."""
    u = ((torch.randperm(count) + torch.rand(count)) / count).clamp(1e-4, 1 - 1e-4)
    t = torch.sigmoid(torch.erfinv(2 * u - 1) * 2 ** 0.5 + shift)
    return torch.where(torch.rand(count) < 0.1, torch.rand(count), t).to(DEVICE)


def layout(records, side=SIDE // 2, pixels=64):
    """What shows at each token of the pictures of records [B, 42]: shape, colour and texture, [B, 64, 3], 0 where nothing stands."""
    records = np.asarray(records).astype(np.int64)
    middle = (np.arange(side) + 0.5) * (pixels / side)
    labels = np.zeros((len(records), side, side, 3), np.int64)
    for k in range(5):
        head, size, x, y = records[:, 2 + 4 * k:6 + 4 * k].T
        reach = np.maximum((size & 63) / 4, 0.71 * pixels / side)  # half a token's diagonal: every object has a token
        far = np.hypot(middle[None, None] - (x / 4)[:, None, None], middle[None, :, None] - (y / 4)[:, None, None])
        covers = (far <= reach[:, None, None]) & ((records[:, 0] & 15) > k)[:, None, None]
        what = np.stack((head >> 4, head & 15, size >> 6), -1) + 1
        labels = np.where(covers[..., None], what[:, None, None], labels)
    return torch.from_numpy(labels).flatten(1, 2).to(DEVICE)


class FluxAndLayout(torch.nn.Module):
    """The transformer, and what only training has: a layer that reads off its middle what will stand where."""

    LOOK, PARTS = 2, (9, 9, 4)  # after so many single blocks; classes of shape, colour and texture

    def __init__(self):
        super().__init__()
        self.flux = Flux()
        self.layout = torch.nn.Linear(self.flux.params['hidden_size'], sum(self.PARTS))

    def forward(self, *inputs):
        """Prediction, and the scores of every token's classes [B, L, 22]."""
        out, seen = self.flux(*inputs, look=self.LOOK)
        return out, self.layout(torch.nn.functional.layer_norm(seen, seen.shape[-1:])).float()

    def layout_loss(self, scores, labels):
        parts = zip(scores.split(self.PARTS, -1), labels.unbind(-1))
        return sum(torch.nn.functional.cross_entropy(score.flatten(0, 1), label.flatten()) for score, label in parts)


def noised(latents, t):
    """The point on the way at time t, and what the model shall predict there."""
    noise = torch.randn_like(latents)
    return torch.lerp(latents, noise, t[:, None, None]), noise - latents


def flow_loss(model, texts, records, x, rng, weight):
    """(loss, figures) of a batch of records [B, 42] with their latents [B, 64, 16]."""
    words, t = records[:, 22:].copy(), times(len(x))
    words[rng.random(len(x)) < 0.1] = 0
    x, target = noised(x, t)
    with autocast():
        txt, pooled = texts(words)
        out, scores = model(x, IDS, txt, t, pooled, torch.ones_like(t))
    where = model.layout_loss(scores, layout(records))
    error = (out - target).square().mean((1, 2))
    figures = {'mse': error.detach().mean(), 'layout': where.detach()}
    for name, part in (('late', t > 0.7), ('early', t < 0.3)):
        figures[f'mse {name}'] = (error.detach() * part).sum() / part.sum().clamp(min=1)
    return error.mean() + weight * where, figures


def train_flow(args, scenes):
    model, kind = FluxAndLayout().to(DEVICE), Phase if GPU else Team
    steps = args.pictures and args.pictures // args.batch['flow']
    phase = kind('flow', args.out, args.minutes['flow'], model, lr=args.lr, adam_lr=2e-3, decay_from=args.decay_from, ema=0.998,
                 plain=('in_layer', 'img_in', 'final_layer.linear', 'layout'), steps=steps)
    texts = Texts(args, scenes.words)
    if GPU:
        latents, rng = DeviceLatents(args, scenes), np.random.default_rng((21, phase.step))
        return phase.run(lambda step: flow_loss(model, texts, *latents.pick(rng, args.batch['flow']), rng, args.layout), args.log_every)
    latents, batch = Latents(args, scenes), args.batch['flow'] // args.members
    done = mp.get_context('fork').Value('l', latents.done)

    def loss_of_rank(rank):
        rng = np.random.default_rng((21, phase.step, rank))
        torch.manual_seed(1000 * phase.step + rank)

        def loss_of_step(step):
            if rank == args.members - 1:
                latents.grow(args.batch['flow'] // 8)
                done.value = latents.done
            latents.done = done.value
            return flow_loss(model, texts, *latents.pick(rng, batch), rng, args.layout)
        return loss_of_step

    return phase.run_together(loss_of_rank, args.members, args.log_every)


def load_autoencoder(out):
    return load_averaged(AutoEncoder(), out, 'autoencoder')


def load_flow(out, weights='ema'):
    return load_averaged(FluxAndLayout(), out, 'flow', weights).flux


PHASES = {'autoencoder': train_autoencoder, 'flow': train_flow}
MINUTES = {'autoencoder': 14, 'flow': 80}


def phase_minutes(text):
    """'flow=12' -> ('flow', 12.0)"""
    name, minutes = text.split('=')
    if name not in MINUTES:
        raise ValueError(name)
    return name, float(minutes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('phases', nargs='+', choices=[*PHASES, 'all'])
    parser.add_argument('--out', type=Path, default=Path('.work/flow'))
    parser.add_argument('--scenes', type=Path, default=Path('.work/flow/scenes.bin'))
    parser.add_argument('--assets', type=Path, default=ROOT / 'assets/toybox')
    parser.add_argument('--pool', type=int, default=120_000, help='scenes whose latents are kept')
    parser.add_argument('--first', type=int, default=10_000, help='scenes encoded before the transformer starts; the rest on the way')
    parser.add_argument('--layout', type=float, default=0.1, help='weight of the loss of what stands where, off the middle of the transformer')
    parser.add_argument('--members', type=int, default=2, help='processes of one thread each that train the transformer')
    parser.add_argument('--workers', type=int, default=8, help='processes that draw the scenes for a GPU')
    parser.add_argument('--pictures', type=int, help='training pictures of the transformer, in place of its minutes')
    parser.add_argument('--lr', type=float, default=0.02, help="the transformer's Muon learning rate")
    parser.add_argument('--decay-from', type=float, default=0.4, help='share of the minutes after which the learning rate goes down')
    parser.add_argument('--minutes', type=phase_minutes, nargs='*', default=[], metavar='PHASE=MINUTES', help=f'default: {MINUTES}')
    parser.add_argument('--kl', type=float, default=2e-4, help='weight of the KL term of the autoencoder')
    parser.add_argument('--log-every', type=int, default=50)
    args = parser.parse_args()
    args.minutes, args.batch = {**MINUTES, **dict(args.minutes)}, {'autoencoder': 16, 'flow': 64}
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 2)))
    torch.manual_seed(0)
    scenes = Scenes(args.scenes)
    for name in PHASES if args.phases == ['all'] else args.phases:
        PHASES[name](args, scenes)


if __name__ == '__main__':
    main()
