"""Draws the held-out prompts with toybox-flow and has the TypeScript detector judge them.

    python3 training/evaluate_flow.py --out .work/flow --cfg 3 --steps 28 --sheet sheet.png        real guidance, two forwards a step
    python3 training/evaluate_flow.py --out .work/flow --cfg 3 --weights model                     the last step's weights, not the average
    python3 training/evaluate_flow.py --out .work/flow --limit 0 --psnr                            the autoencoder on unseen scenes
"""
import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch

from autoencoder import unpack
from data import Scenes, encode
from evaluate import judge, spread, write_sheet
from flux import sample, schedule
from loop import autocast
from train import psnr
from train_flow import IDS, SIDE, Texts, load_autoencoder, load_flow


@torch.no_grad()
def draw(model, texts, decode, prompts, words, steps, cfg, guidance, seed=0, batch=50, shift=True):
    """One picture a prompt: uint8 [N, 64, 64, 3]. Without `cfg` (1) there is one forward a step."""
    generator, pictures, times = torch.Generator().manual_seed(seed), [], schedule(steps, len(IDS), shift=shift)
    empty = texts(np.zeros((1, 20), np.uint8))
    for at in range(0, len(prompts), batch):
        part = prompts[at:at + batch]
        txt, pooled = texts(np.stack([encode(p, words) for p in part]))
        both = [torch.cat((mine, none.expand_as(mine))) for mine, none in zip((txt, pooled), empty)]

        def predict(x, t):
            level = torch.full((len(x),), guidance)
            if cfg == 1:
                return model(x, IDS, txt, t, pooled, level)
            true, free = model(torch.cat((x, x)), IDS, both[0], torch.cat((t, t)), both[1], torch.cat((level, level))).chunk(2)
            return free + cfg * (true - free)

        with autocast():
            latents = sample(predict, torch.randn(len(part), len(IDS), 16, generator=generator), times)
            out = decode(latents).float().clamp(-1, 1)
        pictures.append(((out + 1) * 127.5 + 0.5).floor().byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(pictures)


def decoder(model, figures):
    """Packed latents as the transformer has them -> pictures."""
    return lambda packed: model.decoder(unpack(packed / figures['scale_factor'] + figures['shift_factor'], SIDE, SIDE))


@torch.no_grad()
def autoencoder_score(model, scenes, count=500):
    """Mean PSNR of reconstructions through the mean latent, float32, on scenes that training has not seen."""
    images = scenes.images(np.arange(count))
    return float(psnr(torch.cat([model.decoder(model.encode(x)[0]) for x in images.split(50)]), images))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('.work/flow'))
    parser.add_argument('--assets', type=Path, default=Path(__file__).resolve().parent.parent / 'assets/toybox')
    parser.add_argument('--weights', default='ema', choices=('ema', 'model'))
    parser.add_argument('--cfg', type=float, nargs='+', default=[1.0])
    parser.add_argument('--guidance', type=float, nargs='+', default=[1.0], help="the embedding's")
    parser.add_argument('--steps', type=int, nargs='+', default=[28])
    parser.add_argument('--limit', type=int, default=200)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--no-shift', action='store_true')
    parser.add_argument('--sheet', type=Path)
    parser.add_argument('--psnr', action='store_true')
    args = parser.parse_args()
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 2)))
    scenes, autoencoder = Scenes(args.out / 'scenes-val.bin'), load_autoencoder(args.out)
    if args.psnr:
        print('autoencoder psnr', round(autoencoder_score(autoencoder, scenes), 2), flush=True)
    if not args.limit:
        return
    texts, model = Texts(args, scenes.words), load_flow(args.out, args.weights)
    decode = decoder(autoencoder, json.loads((args.out / 'latents.json').read_text()))
    prompts = spread(json.loads((args.out / 'heldout.json').read_text())['prompts'], args.limit)
    for steps in args.steps:
        for cfg in args.cfg:
            for guidance in args.guidance:
                start = time.time()
                pictures = draw(model, texts, decode, [p['prompt'] for p in prompts], scenes.words, steps, cfg, guidance, args.seed, shift=not args.no_shift)
                setting = {'weights': args.weights, 'steps': steps, 'cfg': cfg, 'guidance': guidance, 'n': len(prompts), 'seconds': round(time.time() - start)}
                print(json.dumps(setting), judge(args.out / 'judged', prompts, pictures), flush=True)
                if args.sheet:
                    write_sheet(args.sheet, pictures)


if __name__ == '__main__':
    main()
