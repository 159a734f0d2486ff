"""Trains the toybox weights, phase after phase: python3 training/train.py all --out .work/train

vae           autoencoder with the multi-scale binary quantiser
features      the encoder's features of many scenes, kept on disk in half precision
infinity      the transformer and its text encoder, on tokens quantised anew from the features with flipped bits
clip          the first verifier
aesthetic     five linear layers over CLIP's vectors, on clean and damaged pictures
image_reward  ImageReward, on pictures ranked by how well the drawn scene fits the prompt
export        assets/toybox: all files in the official layouts
Every phase goes on where it was killed; a phase that has used its minutes is skipped.
"""
import argparse
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from aesthetic import load_aesthetic, train_aesthetic
from clip import CLIP, normalise
from damage import Codec
from data import FIRST, Scenes, tokens
from export import export, export_aesthetic, export_image_reward
from infinity import Infinity, make_targets
from loop import DEVICE, Phase, autocast, load_averaged
from negatives import Negatives
from reward_training import deviation, load_clip, load_image_reward, train_image_reward
from t5 import T5Encoder
from tokenizers_json import clip_vocabulary, clip_word_ids
from vae import VAE, summed

SCHEDULE = [(s, s) for s in (1, 2, 3, 4, 6, 8)]
# How often the transformer sees each kind of caption, against its share of the scenes: attributes and places are hardest to bind.
KIND_WEIGHTS = {'single_object': 0.3, 'two_object': 0.3, 'counting': 1.0, 'colors': 0.3, 'position': 1.3, 'color_attr': 1.3,
                'texture': 1.0, 'complex': 1.0}


def psnr(a, b):
    """Mean over pictures [B, 3, H, W] in -1..1 of the peak signal-to-noise ratio in dB."""
    error = ((a.clamp(-1, 1) - b.clamp(-1, 1)) / 2).square().flatten(1).mean(1)
    return (-10 * torch.log10(error + 1e-10)).mean()


def scene_batches(scenes, size, seed):
    """Endless batches of scene numbers, half of them with striped or dotted objects; the seed moves on with every restart."""
    rng, textured = np.random.default_rng(seed), scenes.textured()
    while True:
        yield np.sort(np.concatenate([rng.choice(textured, size // 2), rng.integers(len(scenes), size=size - size // 2)]))


def reconstruction_loss(out, images, objects):
    """Mean error of pictures [B, 3, H, W]; the pixels of objects (their share of each pixel [B, 1, H, W]) count three times."""
    error, weight = out - images, 1 + 2 * objects
    return ((error.square() + 0.05 * error.abs()) * weight).mean() / weight.mean()


def train_vae(args, scenes):
    model = VAE().to(DEVICE)
    phase = Phase('vae', args.out, args.minutes['vae'], model, lr=0.02, adam_lr=2e-3,
                  plain=('conv_in', 'conv_out'), decay_from=0.4, ema=0.998)
    batches = scene_batches(scenes, args.batch['vae'], 1 + phase.step)

    def loss_of_step(step):
        index = next(batches)
        images = scenes.images(index).to(DEVICE)
        keep = torch.full((len(images),), len(SCHEDULE), device=DEVICE)
        cut = torch.rand(len(images), device=DEVICE) < 0.1
        keep[cut] = torch.randint(2, len(SCHEDULE), (int(cut.sum()),), device=DEVICE)
        with autocast():
            out, f, total = model(images, SCHEDULE, keep)
        commit = (f - total.detach())[~cut].square().mean()
        loss = reconstruction_loss(out, images, scenes.objects(index, images)) + 0.02 * commit
        return loss, {'mse': (out - images)[~cut].square().mean(), 'psnr': psnr(out[~cut], images[~cut]).detach(),
                      'commit': commit, 'norm': f.norm(dim=1).mean()}

    return phase.run(loss_of_step, args.log_every)


def scale_weights(tokens):
    """[L] weight of every token: a scale counts by the fourth root of its tokens, so that the early ones are heard."""
    weights = torch.cat([torch.full((h * w,), (h * w) ** -0.75) for h, w in SCHEDULE])[:tokens]
    return weights / weights.sum()


class Features:
    """The encoder's features of the first scenes, half precision [N, D, h, w] on disk; grows as scenes are encoded."""

    def __init__(self, args, scenes):
        self.scenes, self.vae, self.counter = scenes, load_vae(args.out), args.out / 'features.done'
        path, shape = args.out / 'features.npy', (min(args.pool, len(scenes)), self.vae.dim, *SCHEDULE[-1])
        if not path.exists():
            np.lib.format.open_memmap(path, 'w+', np.float16, shape)
            self.counter.write_text('0')
        self.pool, self.done = np.load(path, mmap_mode='r+'), int(self.counter.read_text())

    def grow(self, count):
        """Encodes the next scenes, at most to the end of the pool."""
        index = np.arange(self.done, min(self.done + count, len(self.pool)))
        if len(index):
            with torch.no_grad(), autocast():
                self.pool[index] = self.vae.encoder(self.scenes.images(index).to(DEVICE)).half().cpu().numpy()
            self.done += len(index)
            self.counter.write_text(str(self.done))

    def pick(self, rng, count, kinds=None):
        """Scene numbers and their features [count, D, h, w]; kinds [8] weighs the kinds of captions."""
        p = None
        if kinds is not None:
            p = kinds[self.scenes.records[:self.done, 1]]
            p = p / p.sum()
        index = np.sort(rng.choice(self.done, count, replace=False, p=p))
        return index, torch.from_numpy(self.pool[index]).float().to(DEVICE)


def make_features(args, scenes):
    features = Features(args, scenes)
    while features.done < min(args.first, len(features.pool)):
        features.grow(50)
    print('features', features.done, flush=True)


class TextToTokens(torch.nn.Module):
    """Text encoder and transformer, trained as one."""

    def __init__(self, vocabulary):
        super().__init__()
        self.t5, self.infinity = T5Encoder(vocabulary + FIRST), Infinity(SCHEDULE)


def bit_losses(logits, bits):
    """Logits [B, n, 2 D] and bits [B, L >= n, D] -> nats [B, n, D]."""
    logits = logits.float().unflatten(-1, (-1, 2))
    return F.binary_cross_entropy_with_logits(logits[..., 1] - logits[..., 0], bits[:, :logits.shape[1]].float(), reduction='none')


def train_infinity(args, scenes):
    model = TextToTokens(len(scenes.words)).to(DEVICE)
    model.t5.freeze_content()
    phase = Phase('infinity', args.out, args.minutes['infinity'], model, lr=args.lr, adam_lr=2e-3, decay_from=0.25, ema=0.99,
                  plain=('shared.weight', 'bias', 'cfg_uncond', 'lvl_embed', 'word_embed', 'infinity.head.', 'ada_gss', 'scale_mul'))
    features, rng = Features(args, scenes), np.random.default_rng(2 + phase.step)
    kinds = np.array([KIND_WEIGHTS[kind] for kind in scenes.header['kinds']])
    weights, all_tokens = scale_weights(10 ** 6).to(DEVICE), sum(h * w for h, w in SCHEDULE)
    short = all_tokens - SCHEDULE[-1][0] * SCHEDULE[-1][1]
    early, negatives = sum(h * w for h, w in SCHEDULE[:4]), Negatives(scenes.words)

    def loss_of_step(step):
        features.grow(args.batch['infinity'] // 8)
        index, f = features.pick(rng, args.batch['infinity'], kinds)
        ids, lengths = scenes.captions(index)
        ids, lengths = ids[:, :int(lengths.max())].to(DEVICE), lengths.to(DEVICE)
        inputs, bits = make_targets(f, SCHEDULE, args.flips)
        # Steps without the last scale cost half; it is learnt quickly, from what stands around.
        whole = step % 3 == 0
        n = all_tokens if whole else short
        drop = torch.rand(len(index), device=DEVICE) < 0.1
        with autocast():
            logits = model.infinity(model.t5(ids, lengths), lengths, inputs[:, :n - 1], drop)
        losses = bit_losses(logits, bits)
        by_token = losses.mean((0, 2))  # [n]
        parts = by_token.detach().split([h * w for h, w in SCHEDULE][:len(SCHEDULE) if whole else -1])
        figures = {f'scale{h}': part.mean() for (h, w), part in zip(SCHEDULE, parts)}
        loss = (by_token * weights[:n]).sum() / weights[:n].sum()
        if not whole:
            # Which word belongs to which object is one bit of some hundreds: hold the tokens' likelihood under the true
            # caption against that under a false one (words exchanged), on the early scales, where this is decided.
            records = np.asarray(scenes.records[index])
            false_ids, false_lengths = (x.to(DEVICE) for x in tokens(np.stack([negatives(r, rng) for r in records])))
            false_ids = false_ids[:, :int(false_lengths.max())]
            with autocast():
                logits = model.infinity(model.t5(false_ids, false_lengths), false_lengths, inputs[:, :early - 1])
            margin = (bit_losses(logits, bits) - losses[:, :early]).sum((1, 2))[~drop]
            contrast = F.softplus(-margin).mean()
            loss = loss + args.contrast * contrast
            figures.update(contrast=contrast.detach(), told=(margin > 0).float().mean())
        return loss, figures

    return phase.run(loss_of_step, args.log_every)


def load_vae(out):
    return load_averaged(VAE(), out, 'vae')


def load_text_to_tokens(out, words):
    return load_averaged(TextToTokens(words), out, 'infinity')


class ClipBatches:
    """Pictures (drawn, and half of them from the decoder), their captions and false captions, as CLIP's tokens."""

    def __init__(self, args, scenes, model, decode=True):
        self.scenes, self.length, self.false = scenes, model.sizes['length'], args.false_captions
        self.words, self.bos, self.eos = clip_word_ids(scenes.words)
        self.table = torch.tensor([self.eos, *self.words])  # word id 0 (nothing) becomes the padding, which is eos
        self.negatives, self.rng = Negatives(scenes.words), np.random.default_rng(4)
        self.decoded, self.pictures = self.decode(args) if decode else (None, None)

    def decode(self, args):
        """(scene numbers, pictures uint8) through the tokens, with some bits flipped as a careless transformer would."""
        features, pictures, vae = Features(args, self.scenes), [], load_vae(args.out)
        index, f = features.pick(self.rng, min(args.decoded, features.done))
        for part in f.split(50):
            with torch.no_grad(), autocast():
                codes = vae.quantise(part, SCHEDULE)
                rate = torch.rand(len(part), 1, 1, 1, device=DEVICE) * 0.03
                codes = [torch.where(torch.rand_like(c) < rate, -c, c) for c in codes]
                out = vae.decoder(summed(codes, SCHEDULE)).clamp(-1, 1)
            pictures.append(((out + 1) * 127.5).round().byte().cpu())
        return index, torch.cat(pictures)

    def ids(self, captions):
        """Word ids [..., 20] -> [..., length]: bos, words, eos, and eos as padding."""
        ids = torch.full((*captions.shape[:-1], self.length), self.eos)
        ids[..., 0] = self.bos
        ids[..., 1:1 + captions.shape[-1]] = self.table[torch.from_numpy(captions.astype(np.int64))]
        return ids.to(DEVICE)

    def __call__(self, size):
        """pictures [B, 3, 64, 64] in -1..1, caption ids [B, T], false ids [B, F, T]"""
        pick = self.rng.choice(len(self.decoded), size // 2, replace=False)
        fresh = np.sort(self.rng.choice(len(self.scenes), size - len(pick), replace=False))
        index = np.concatenate([self.decoded[pick], fresh])
        images = torch.cat([self.pictures[pick].float() / 127.5 - 1, self.scenes.images(fresh)]).to(DEVICE)
        records = np.asarray(self.scenes.records[index])
        return self.spoil(images), self.ids(records[:, 22:]), self.ids(self.false_captions(records))

    def false_captions(self, records):
        return np.stack([[self.negatives(r, self.rng) for _ in range(self.false)] for r in records])

    def spoil(self, images):
        """Mild noise on half of the pictures, mild blur on a quarter."""
        noise = torch.randn_like(images) * 0.06 * (torch.rand(len(images), 1, 1, 1, device=DEVICE) < 0.5)
        soft = F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
        blur = (torch.rand(len(images), 1, 1, 1, device=DEVICE) < 0.25).float() * torch.rand(len(images), 1, 1, 1, device=DEVICE)
        return (images + noise) * (1 - blur) + soft * blur


def clip_loss(model, images, ids, false):
    """Contrast within the batch both ways, and every picture's caption against its false ones. (loss, share of true ones first)"""
    b, n, t = false.shape
    image, text = model.image(normalise(images)), model.text(torch.cat((ids, false.flatten(0, 1))))
    scale = model.logit_scale.exp().clamp(max=100)
    logits = scale * image @ text[:b].t()
    same = (ids[:, None] == ids[None]).all(-1) & ~torch.eye(b, dtype=torch.bool, device=ids.device)
    logits = logits.masked_fill(same, -1e4)
    target = torch.arange(b, device=ids.device)
    own = scale * (image[:, None] * text[b:].view(b, n, -1)).sum(-1)
    hard = torch.cat((logits.diagonal()[:, None], own), 1)
    loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2
    right = (hard[:, :1] > hard[:, 1:]).float().mean()
    return loss + 2 * F.cross_entropy(hard, torch.zeros_like(target)), right.detach(), loss.detach()


def train_clip(args, scenes):
    model = CLIP(len(clip_vocabulary(scenes.words))).to(DEVICE)
    phase = Phase('clip', args.out, args.minutes['clip'], model, lr=0.02, adam_lr=1e-3, decay_from=0.3, ema=0.995,
                  plain=('embedding', 'projection'))
    batches = ClipBatches(args, scenes, model)

    def loss_of_step(step):
        images, ids, false = batches(args.batch['clip'])
        with autocast():
            loss, right, contrast = clip_loss(model, images, ids, false)
        return loss, {'loss': loss.detach(), 'contrast': contrast, 'pairs right': right, 'scale': model.logit_scale.exp().detach()}

    return phase.run(loss_of_step, args.log_every)


def with_codec(train):
    """A phase that sees pictures through the trained autoencoder."""
    return lambda args, scenes: train(args, scenes, Codec(load_vae(args.out), SCHEDULE))


def export_files(args, scenes):
    """All files; rewards are brought to mean 0 and deviation 1 on unseen scenes."""
    words, vae, clip = scenes.words, load_vae(args.out), load_clip(args.out, scenes.words)
    recommended = {'cfg': args.cfg, 'tau': args.tau, 'cfg_insertion_layer': [0]}
    export(args.assets, words, load_text_to_tokens(args.out, len(words)).cpu(), vae.cpu(), clip.cpu(), recommended)
    export_aesthetic(args.assets, load_aesthetic(args.out, clip))
    model, codec = load_image_reward(args.out, words), Codec(vae.to(DEVICE), SCHEDULE)
    export_image_reward(args.assets, words, model, *deviation(model, Scenes(args.validation), codec, 8 if args.smoke else 300))
    print('written', args.assets, flush=True)


PHASES = {'vae': train_vae, 'features': make_features, 'infinity': train_infinity, 'clip': train_clip,
          'aesthetic': with_codec(train_aesthetic), 'image_reward': with_codec(train_image_reward), 'export': export_files}
# Of training, on two cores; a GPU sees more in the same time.
MINUTES = {'vae': 40, 'infinity': 160, 'clip': 25, 'aesthetic': 1, 'image_reward': 45}


def phase_minutes(text):
    """'clip=12' -> ('clip', 12.0)"""
    name, minutes = text.split('=')
    if name not in MINUTES:
        raise ValueError(name)
    return name, float(minutes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('phases', nargs='+', choices=[*PHASES, 'all'])
    parser.add_argument('--out', type=Path, default=Path('.work/train'))
    parser.add_argument('--scenes', type=Path, default=Path('.work/scenes.bin'))
    parser.add_argument('--minutes', type=phase_minutes, nargs='*', default=[], metavar='PHASE=MINUTES', help=f'default: {MINUTES}')
    parser.add_argument('--reward-lr', type=float, default=0.01, help="ImageReward's Muon learning rate")
    parser.add_argument('--rated', type=int, default=2000, help='scenes that the aesthetic head sees clean and damaged')
    parser.add_argument('--validation', type=Path, default=Path('.work/scenes-val.bin'), help='unseen scenes, for the deviation of rewards')
    parser.add_argument('--pool', type=int, default=120_000, help='scenes whose features are kept')
    parser.add_argument('--first', type=int, default=25_000, help='scenes encoded before the transformer starts; the rest on the way')
    parser.add_argument('--lr', type=float, default=0.02, help="the transformer's Muon learning rate")
    parser.add_argument('--flips', type=float, default=0.12, help='largest share of flipped bits in self-correction')
    parser.add_argument('--contrast', type=float, default=0.025, help='weight of true against false captions')
    parser.add_argument('--decoded', type=int, default=6000, help='decoded pictures that the verifier sees')
    parser.add_argument('--false-captions', type=int, default=4)
    parser.add_argument('--log-every', type=int, default=50)
    parser.add_argument('--assets', type=Path, default=Path('assets/toybox'))
    parser.add_argument('--cfg', type=float, default=3.0, help='recommended guidance, written to config.json')
    parser.add_argument('--tau', type=float, default=1.0, help='recommended temperature')
    parser.add_argument('--smoke', action='store_true', help='a few steps of every phase, to see that all of it runs')
    args = parser.parse_args()
    args.batch = {'vae': 16, 'infinity': 48, 'clip': 64, 'image_reward': 16}
    if args.smoke:
        args.minutes = [(name, 0.1) for name in MINUTES]
        args.pool, args.first, args.decoded, args.rated, args.log_every = 200, 100, 50, 40, 1
        args.batch = {'vae': 4, 'infinity': 8, 'clip': 8, 'image_reward': 4}
    args.minutes = {**MINUTES, **dict(args.minutes)}
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 2)) if DEVICE == 'cpu' else 4)
    torch.manual_seed(0)
    scenes = Scenes(args.scenes)
    for name in PHASES if args.phases == ['all'] else args.phases:
        PHASES[name](args, scenes)


if __name__ == '__main__':
    main()
