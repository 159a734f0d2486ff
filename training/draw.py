"""Draws pictures to train verifiers on, with the embedded model on a GPU: python3 training/draw.py --scenes FILE --out FOLDER --seconds 100

What training/on-policy.ts does with the product's code at some twenty pictures a second, this does at some thousands, for a machine
that is lent for minutes. Prompts are those of the training scenes, settings and layout of the parts those of on-policy.ts; the
labels are the same detector's, which runs in processes of its own (training/label.ts in one file).
"""
import argparse
import json
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from data import FIRST, Scenes, tokens
from files import read_safetensors
from infinity import Infinity
from loop import DEVICE, autocast
from t5 import T5Encoder
from vae import VAE, grow

ROOT = Path(__file__).resolve().parent.parent
PREFIXES, COMPLETIONS, PART = 4, 4, 128
PICTURES = PREFIXES * COMPLETIONS
HEADER, LABELS, WORDS = 4096, 35, 20
# How often each kind is drawn, as in on-policy.ts.
KINDS = {'single_object': 0.4, 'two_object': 1, 'counting': 2, 'colors': 0.5, 'position': 3, 'color_attr': 2, 'texture': 1.5, 'complex': 4}


class Drawer:
    """The embedded model: text encoder, transformer, decoder."""

    def __init__(self, assets, words):
        config = json.loads((assets / 'config.json').read_text())
        self.schedule = [tuple(size) for size in config['scale_schedule']]
        self.model = Infinity(self.schedule, reach=config['rope_reach'])
        self.model.load_state_dict(floats(torch.load(assets / 'transformer.pth', map_location='cpu')))
        self.t5 = T5Encoder(len(words) + FIRST)
        self.t5.load_state_dict(floats(read_safetensors(assets / 'text-encoder/model.safetensors')))
        self.vae = VAE()
        state = torch.load(assets / 'vae.pth', map_location='cpu')['vae']
        self.vae.load_state_dict({k: v.float() for k, v in state.items() if 'lfq' not in k})
        for model in self.model, self.t5, self.vae:
            model.to(DEVICE).eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, words, temperature, cfg, shared):
        """Word ids [G, 20] with settings [G] -> packed bits [G, 16, 260] and pictures uint8 [G, 16, 64, 64, 3]."""
        ids, lengths = tokens(words)
        ids = ids[:, :int(lengths.max())].to(DEVICE)
        lengths = lengths.to(DEVICE)
        with autocast():
            text = self.t5(ids, lengths).float()
        text, lengths = text.repeat_interleave(PICTURES, 0), lengths.repeat_interleave(PICTURES)
        temperature, cfg, shared = (torch.as_tensor(v, device=DEVICE).repeat_interleave(PICTURES) for v in (temperature, cfg, shared))
        bits, total = self.sample(text, lengths, temperature.float(), cfg.float(), shared)
        pictures = ((self.vae.decoder(total).float().clamp(-1, 1) + 1) * 127.5).floor().byte()
        powers = 2 ** torch.arange(7, -1, -1, device=DEVICE)
        packed = (bits.flatten(1).view(len(bits), -1, 8) * powers).sum(-1).byte()
        shape = (len(words), PICTURES)
        return packed.view(*shape, -1).cpu().numpy(), pictures.permute(0, 2, 3, 1).reshape(*shape, 64, 64, 3).cpu().numpy()

    def sample(self, text, lengths, temperature, cfg, shared):
        """All scales; rows of four have the first `shared` [N] scales in common. The prefix is computed anew for every scale."""
        n, dim = len(text), self.model.dim
        leader = torch.arange(n, device=DEVICE) // COMPLETIONS * COMPLETIONS
        text, lengths = torch.cat((text, text)), torch.cat((lengths, lengths))
        drop = torch.arange(2 * n, device=DEVICE) >= n
        total, inputs, out = 0, torch.zeros(n, 0, dim, device=DEVICE), []
        for k, (h, w) in enumerate(self.schedule):
            with autocast():
                logits = self.model(text, lengths, torch.cat((inputs, inputs)), drop)[:, -h * w:].float()
            logits = logits.view(2 * n, h * w, dim, 2).diff(dim=-1)[..., 0] / temperature.repeat(2).view(-1, 1, 1)
            guided = cfg.view(-1, 1, 1) * logits[:n] + (1 - cfg.view(-1, 1, 1)) * logits[n:]
            bits = torch.rand_like(guided) < torch.sigmoid(guided)
            bits = torch.where((shared > k).view(-1, 1, 1), bits[leader], bits)
            code = (bits.float() * 2 - 1).transpose(1, 2).reshape(n, dim, h, w) / dim ** 0.5
            total = total + grow(code, self.schedule[-1])
            if k + 1 < len(self.schedule):
                inputs = torch.cat((inputs, grow(total, self.schedule[k + 1]).flatten(2).transpose(1, 2)), 1)
            out.append(bits)
        return torch.cat(out, 1).long(), total


def floats(state):
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


class Labeller:
    """Processes that run label.ts, one a thread."""

    def __init__(self, node, script, workers):
        self.command, self.own, self.header = [str(node), str(script)], threading.local(), None
        self.pool = ThreadPoolExecutor(workers)
        self.header = self.pool.submit(self.start).result()

    def start(self):
        self.own.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self.own.process.stdout.read(HEADER)

    def label(self, record, pictures):
        """The labels [16, 35] of a group."""
        if not hasattr(self.own, 'process'):
            self.start()
        process = self.own.process
        process.stdin.write(record.tobytes() + pictures.tobytes())
        process.stdin.flush()
        answer = process.stdout.read(PICTURES * LABELS)
        if len(answer) < PICTURES * LABELS:
            raise RuntimeError(f'the detector ended with exit code {process.wait()}')
        return np.frombuffer(answer, np.uint8).reshape(PICTURES, LABELS)

    def submit(self, records, pictures):
        return [self.pool.submit(self.label, *group) for group in zip(records, pictures)]


def settings(scenes, rng, count, first):
    """Records [G, 28] of groups as on-policy.ts draws them, and temperature, guidance and shared scales."""
    weights = np.array([KINDS[kind] for kind in scenes.header['kinds']])
    of = weights[scenes.records[:, 1]]
    rows = np.asarray(scenes.records[np.sort(rng.choice(len(scenes), count, replace=False, p=of / of.sum()))])
    usual, n = rng.random(count) < 0.4, count
    temperature = np.round(np.where(usual, rng.uniform(0.9, 1.15, n), rng.uniform(0.7, 1.5, n)) * 100)
    cfg = np.round(np.where(usual, rng.uniform(2.5, 3.5, n), rng.uniform(1, 4, n)) * 50)
    shared = np.where(rng.random(n) < 0.4, 0, rng.integers(1, 6, n))
    records = np.zeros((n, WORDS + 8), np.uint8)
    records[:, :WORDS] = rows[:, 22:22 + WORDS]
    records[:, WORDS:WORDS + 4] = np.stack((rows[:, 1], temperature, cfg, shared), 1)
    records[:, WORDS + 4:] = (first + np.arange(n, dtype='<u4'))[:, None].view(np.uint8)
    return records, temperature / 100, cfg / 50, shared


def write_part(args, header, number, records, bits, labels, pictures):
    name = f'part-{number:05d}'
    args.pixels and (args.pixels / f'{name}.rgb').write_bytes(pictures.tobytes())
    body = np.concatenate((records, np.concatenate((bits, labels), 2).reshape(len(records), -1)), 1)
    path = args.out / f'{name}.bin'
    path.with_suffix('.partial').write_bytes(header + body.tobytes())
    os.replace(path.with_suffix('.partial'), path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scenes', type=Path, default=Path('.work/judges/scenes.bin'))
    parser.add_argument('--assets', type=Path, default=ROOT / 'assets/toybox')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--pixels', type=Path, help='folder that keeps the decoded pictures')
    parser.add_argument('--seconds', type=float, default=100)
    parser.add_argument('--batch', type=int, default=256, help='groups of 16 pictures at once, in whole parts of 128')
    parser.add_argument('--workers', type=int, default=os.cpu_count(), help='processes of the detector')
    parser.add_argument('--node', type=Path, default=Path('node'))
    parser.add_argument('--label', type=Path, default=Path('.work/label.mjs'), help='training/label.ts, bundled')
    parser.add_argument('--seed', type=int, default=31)
    args = parser.parse_args()
    for folder in filter(None, (args.out, args.pixels)):
        folder.mkdir(parents=True, exist_ok=True)
    end, scenes, rng = time.time() + args.seconds, Scenes(args.scenes), np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    labeller, drawer = Labeller(args.node, args.label, args.workers), Drawer(args.assets, scenes.words)
    if json.loads(labeller.header)['kinds'] != scenes.header['kinds']:
        raise SystemExit('the scenes and the detector know different kinds of prompts')
    waiting, parts, start = [], 0, time.time()

    def finish():
        nonlocal parts
        records, bits, pictures, futures = waiting.pop(0)
        labels = np.stack([future.result() for future in futures])
        for at in range(0, len(records), PART):
            some = slice(at, at + PART)
            write_part(args, labeller.header, parts, records[some], bits[some], labels[some], pictures[some])
            parts += 1
        rate = parts * PART * PICTURES / (time.time() - start)
        print(json.dumps({'parts': parts, 'a second': round(rate), 'right': round(float((labels[:, :, 0] == 0).mean()), 3)}), flush=True)

    first = 0
    while time.time() < end:
        records, temperature, cfg, shared = settings(scenes, rng, args.batch, first)
        first += args.batch
        bits, pictures = drawer(records[:, :WORDS], temperature, cfg, shared)
        waiting.append((records, bits, pictures, labeller.submit(records, pictures)))
        if len(waiting) > 2:
            finish()
    while waiting:
        finish()
    os._exit(0)  # the detector's processes wait for more


if __name__ == '__main__':
    main()
