"""Trains the toybox weights, phase after phase: python3 training/train.py all --out .work/train

vae       autoencoder with the multi-scale binary quantiser
features  the encoder's features of many scenes, kept on disk in half precision
infinity  the transformer and its text encoder, on tokens quantised anew from the features with flipped bits
decoder   the decoder alone, a while longer (the tokens stay valid)
clip      the verifier
Every phase goes on where it was killed; a phase that has used its minutes is skipped.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from data import FIRST, Scenes
from infinity import Infinity, make_targets
from loop import DEVICE, Phase, autocast
from t5 import T5Encoder
from vae import VAE, summed

SCHEDULE = [(s, s) for s in (1, 2, 3, 4, 6, 8)]


def psnr(a, b):
    """Mean over pictures [B, 3, H, W] in -1..1 of the peak signal-to-noise ratio in dB."""
    error = ((a.clamp(-1, 1) - b.clamp(-1, 1)) / 2).square().flatten(1).mean(1)
    return (-10 * torch.log10(error + 1e-10)).mean()


def scene_batches(scenes, size, seed):
    """Endless batches of scene numbers, without repeats within an epoch; the seed moves on with every restart."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(scenes))
        for at in range(0, len(order) - size + 1, size):
            yield np.sort(order[at:at + size])


def train_vae(args, scenes):
    model = VAE().to(DEVICE)
    phase = Phase('vae', args.out, args.minutes['vae'], model, lr=0.02, adam_lr=2e-3,
                  plain=('conv_in', 'conv_out'), decay_from=0.4, ema=0.998)
    batches = scene_batches(scenes, args.batch['vae'], 1 + phase.step)

    def loss_of_step(step):
        images = scenes.images(next(batches)).to(DEVICE)
        keep = torch.full((len(images),), len(SCHEDULE), device=DEVICE)
        cut = torch.rand(len(images), device=DEVICE) < 0.1
        keep[cut] = torch.randint(2, len(SCHEDULE), (int(cut.sum()),), device=DEVICE)
        with autocast():
            out, f, total = model(images, SCHEDULE, keep)
        error = (out - images)
        pixel = error.square().mean() + 0.05 * error.abs().mean()
        commit = (f - total.detach())[~cut].square().mean()
        return pixel + 0.02 * commit, {'mse': error[~cut].square().mean(), 'psnr': psnr(out[~cut], images[~cut]).detach(),
                                      'commit': commit, 'norm': f.norm(dim=1).mean()}

    return phase.run(loss_of_step)


def scale_weights(tokens):
    """[L] weight of every token: scales count by the root of their tokens, so that the early ones are heard."""
    sizes = torch.tensor([h * w for h, w in SCHEDULE], dtype=torch.float)
    weights = torch.cat([torch.full((int(n),), n ** -0.5) for n in sizes])[:tokens]
    return weights / weights.sum()


def make_features(args, scenes):
    """features.npy [N, D, h, w], half precision, of the first N scenes; goes on where it stopped."""
    path, count = args.out / 'features.npy', min(args.pool, len(scenes))
    vae = load_vae(args.out)
    if not path.exists():
        np.lib.format.open_memmap(path, 'w+', np.float16, (count, vae.dim, *SCHEDULE[-1]))
        (args.out / 'features.done').write_text('0')
    pool = np.load(path, mmap_mode='r+')
    for at in range(int((args.out / 'features.done').read_text()), len(pool), 250):
        images = scenes.images(np.arange(at, min(at + 250, len(pool)))).to(DEVICE)
        with torch.no_grad(), autocast():
            pool[at:at + 250] = vae.encoder(images).half().cpu().numpy()
        (args.out / 'features.done').write_text(str(at + 250))
    print('features', len(pool), flush=True)


class TextToTokens(torch.nn.Module):
    """Text encoder and transformer, trained as one."""

    def __init__(self, vocabulary):
        super().__init__()
        self.t5, self.infinity = T5Encoder(vocabulary + FIRST), Infinity(SCHEDULE)


def train_infinity(args, scenes):
    model = TextToTokens(len(scenes.words)).to(DEVICE)
    phase = Phase('infinity', args.out, args.minutes['infinity'], model, lr=args.lr, adam_lr=2e-3, decay_from=0.5, ema=0.999,
                  plain=('shared.weight', 'bias', 'cfg_uncond', 'lvl_embed', 'word_embed', 'infinity.head.'))
    pool = np.load(args.out / 'features.npy', mmap_mode='r')
    batches = scene_batches(pool, args.batch['infinity'], 2 + phase.step)
    weights, all_tokens = scale_weights(10 ** 6).to(DEVICE), sum(h * w for h, w in SCHEDULE)
    short = all_tokens - SCHEDULE[-1][0] * SCHEDULE[-1][1]

    def loss_of_step(step):
        index = next(batches)
        ids, lengths = scenes.captions(index)
        ids, lengths = ids[:, :int(lengths.max())].to(DEVICE), lengths.to(DEVICE)
        f = torch.from_numpy(pool[index]).float().to(DEVICE)
        inputs, bits = make_targets(f, SCHEDULE, args.flips)
        n = short if step % 2 else all_tokens  # every second step leaves out the last scale: half the price
        drop = torch.rand(len(index), device=DEVICE) < 0.1
        with autocast():
            logits = model.infinity(model.t5(ids, lengths), lengths, inputs[:, :n - 1], drop)
        logits = logits.float().view(len(index), n, -1, 2)
        losses = F.binary_cross_entropy_with_logits(logits[..., 1] - logits[..., 0], bits[:, :n].float(), reduction='none')
        by_token = losses.mean((0, 2))  # [n]
        figures, at = {}, 0
        for k, (h, w) in enumerate(SCHEDULE):
            if at + h * w <= short or not step % 2:
                figures[f'scale{h}'] = by_token[at:at + h * w].mean().detach() * (2 if at + h * w > short else 1)
            at += h * w
        return (by_token * weights[:n]).sum() / weights[:n].sum(), figures

    return phase.run(loss_of_step, args.log_every)


def load_vae(out, name='vae'):
    vae = VAE().to(DEVICE).eval().requires_grad_(False)
    vae.load_state_dict(torch.load(out / f'{name}.pt', map_location=DEVICE)['ema'])
    return vae


def load_text_to_tokens(out, words):
    model = TextToTokens(words).to(DEVICE).eval().requires_grad_(False)
    model.load_state_dict(torch.load(out / 'infinity.pt', map_location=DEVICE)['ema'])
    return model


def train_decoder(args, scenes):
    """The decoder alone, on exact tokens with a few flipped bits: it learns to forgive the transformer's slips."""
    model = load_vae(args.out).train()
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith('decoder'))
    phase = Phase('decoder', args.out, args.minutes['decoder'], model, lr=0.005, adam_lr=1e-3, plain=('conv_in', 'conv_out'),
                  decay_from=0.0, ema=0.995)
    pool = np.load(args.out / 'features.npy', mmap_mode='r')
    batches = scene_batches(pool, args.batch['vae'], 3 + phase.step)

    def loss_of_step(step):
        index = next(batches)
        images, f = scenes.images(index).to(DEVICE), torch.from_numpy(pool[index]).float().to(DEVICE)
        with torch.no_grad():
            codes = [torch.where(torch.rand_like(c) < 0.003, -c, c) for c in model.quantise(f, SCHEDULE)]
            total = summed(codes, SCHEDULE)
        with autocast():
            out = model.decoder(total).float()
        return (out - images).square().mean() + 0.05 * (out - images).abs().mean(), {'psnr': psnr(out, images).detach()}

    return phase.run(loss_of_step)


PHASES = {'vae': train_vae, 'features': make_features, 'infinity': train_infinity, 'decoder': train_decoder}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('phases', nargs='+', choices=[*PHASES, 'all'])
    parser.add_argument('--out', type=Path, default=Path('.work/train'))
    parser.add_argument('--scenes', type=Path, default=Path('.work/scenes.bin'))
    parser.add_argument('--minutes', type=float, nargs=4, default=(23, 70, 8, 10), help='of vae, infinity, decoder, clip')
    parser.add_argument('--pool', type=int, default=120_000, help='scenes whose features are kept')
    parser.add_argument('--lr', type=float, default=0.02, help="the transformer's Muon learning rate")
    parser.add_argument('--flips', type=float, default=0.2, help='largest share of flipped bits in self-correction')
    parser.add_argument('--log-every', type=int, default=100)
    args = parser.parse_args()
    args.minutes = dict(zip(('vae', 'infinity', 'decoder', 'clip'), args.minutes))
    args.batch = {'vae': 16, 'infinity': 48, 'clip': 64}
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2 if DEVICE == 'cpu' else 4)
    torch.manual_seed(0)
    scenes = Scenes(args.scenes)
    for name in PHASES if args.phases == ['all'] else args.phases:
        PHASES[name](args, scenes)


if __name__ == '__main__':
    main()
