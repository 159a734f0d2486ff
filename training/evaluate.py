"""Draws the held-out prompts with the averaged weights and has the TypeScript detector judge them.

    python3 training/evaluate.py --cfg 3 --tau 1 --sheet sheet.png      (--limit N prompts, 0: none)
    python3 training/evaluate.py --limit 0 --psnr --clip --aesthetic --reward   what the other models are worth on unseen scenes
    python3 training/evaluate.py --limit 0 --agreement 50 --pictures 8          verifiers against the detector, on drawn pictures
"""
import argparse
import json
import subprocess
from pathlib import Path

import numpy as np
import torch

from aesthetic import aesthetic_score, load_aesthetic
from agreement import agreement, verifiers
from clip import normalise
from damage import Codec
from data import Scenes, encode, tokens
from infinity import sample
from reward_training import load_clip, load_image_reward, reward_score
from train import SCHEDULE, ClipBatches, load_vae, load_text_to_tokens, psnr
from vae import summed

ROOT = Path(__file__).resolve().parent.parent


def write_sheet(path, pictures, columns=16):
    """pictures uint8 [N, 64, 64, 3] -> a PNG of N tiles, twice as large."""
    from PIL import Image
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * 66, columns * 66, 3), 60, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * 66 + 1, i % columns * 66 + 1
        sheet[y:y + 64, x:x + 64] = picture
    Image.fromarray(sheet).resize((sheet.shape[1] * 3 // 2, sheet.shape[0] * 3 // 2)).save(path)


@torch.no_grad()
def draw(model, vae, words, prompts, cfg, tau, seed=0, batch=40):
    """One picture a prompt: uint8 [N, 64, 64, 3]."""
    generator, pictures = torch.Generator().manual_seed(seed), []
    for at in range(0, len(prompts), batch):
        ids, lengths = tokens(np.stack([encode(p, words) for p in prompts[at:at + batch]]))
        ids = ids[:, :int(lengths.max())]
        total, _, _ = sample(model.infinity, model.t5(ids, lengths), lengths, cfg, tau, generator)
        out = vae.decoder(total).clamp(-1, 1)
        pictures.append(((out + 1) * 127.5 + 0.5).floor().byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(pictures)


def judge(folder, prompts, pictures):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'prompts.json').write_text(json.dumps(prompts))
    (folder / 'pictures.bin').write_bytes(pictures.tobytes())
    out = subprocess.run(['npx', 'tsx', str(ROOT / 'training/judge.ts'), str(folder)], cwd=ROOT, capture_output=True, text=True)
    return json.loads(out.stdout) if out.returncode == 0 else out.stderr[-500:]


@torch.no_grad()
def vae_score(vae, scenes, count=500):
    """Mean PSNR of reconstructions through the tokens, float32, on scenes that training has not seen."""
    images = scenes.images(np.arange(count))
    out = torch.cat([vae.decoder(summed(vae.quantise(vae.encoder(x), SCHEDULE), SCHEDULE)) for x in images.split(50)])
    return float(psnr(out, images))


@torch.no_grad()
def clip_score(out, scenes, vae, count=400):
    """Share of (true, false) caption pairs told apart by the verifier, on decoded pictures of unseen scenes, by kind."""
    model = load_clip(out, scenes.words)
    args = argparse.Namespace(false_captions=8)
    batches = ClipBatches(args, scenes, model, decode=False)
    images, records = scenes.images(np.arange(count)), np.asarray(scenes.records[:count])
    images = torch.cat([vae.decoder(summed(vae.quantise(vae.encoder(x), SCHEDULE), SCHEDULE)) for x in images.split(50)]).clamp(-1, 1)
    true, false = batches.ids(records[:, 22:]), batches.ids(batches.false_captions(records))
    image, text = model.image(normalise(images)), model.text(torch.cat((true, false.flatten(0, 1))))
    right = (image * text[:count]).sum(-1, keepdim=True) > (image[:, None] * text[count:].view(count, 8, -1)).sum(-1)
    kinds = scenes.header['kinds']
    table = {k: round(float(right[torch.from_numpy(records[:, 1] == i)].float().mean()), 3) for i, k in enumerate(kinds)}
    return {'pairs': round(float(right.float().mean()), 4), 'all of 8': round(float(right.all(1).float().mean()), 4), **table}


def spread(prompts, count):
    """At most `count` of the prompts, evenly spread."""
    return [prompts[i] for i in np.linspace(0, len(prompts) - 1, min(count, len(prompts))).round().astype(int)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=ROOT / '.work/train')
    parser.add_argument('--validation', type=Path, default=ROOT / '.work/scenes-val.bin')
    parser.add_argument('--heldout', type=Path, default=ROOT / '.work/heldout.json')
    parser.add_argument('--cfg', type=float, nargs='+', default=[3.0])
    parser.add_argument('--tau', type=float, nargs='+', default=[1.0])
    parser.add_argument('--limit', type=int, default=200)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--sheet', type=Path)
    parser.add_argument('--psnr', action='store_true')
    parser.add_argument('--clip', action='store_true')
    parser.add_argument('--aesthetic', action='store_true')
    parser.add_argument('--reward', action='store_true')
    parser.add_argument('--agreement', type=int, default=0, metavar='N', help='held-out prompts for the verifiers against the detector')
    parser.add_argument('--pictures', type=int, default=8, help='of every prompt there')
    args = parser.parse_args()
    torch.set_num_threads(2)
    scenes = Scenes(args.validation)
    vae = load_vae(args.out)
    if args.psnr:
        print('vae psnr', round(vae_score(vae, scenes), 2))
    if args.clip:
        print('clip', clip_score(args.out, scenes, vae))
    if args.aesthetic:
        clip = load_clip(args.out, scenes.words)
        print('aesthetic', aesthetic_score(load_aesthetic(args.out, clip), clip, scenes, Codec(vae, SCHEDULE)), flush=True)
    if args.reward:
        print('reward', reward_score(load_image_reward(args.out, scenes.words), scenes, Codec(vae, SCHEDULE)), flush=True)
    if args.agreement or args.limit:
        draw_prompts(args, scenes, vae)


def draw_prompts(args, scenes, vae):
    """Draws held-out prompts and has them judged, once each, or several times for the verifiers' agreement."""
    model = load_text_to_tokens(args.out, len(scenes.words))
    everything = json.loads(args.heldout.read_text())['prompts']
    if args.agreement:
        prompts = [p for p in spread(everything, args.agreement) for _ in range(args.pictures)]
        pictures = draw(model, vae, scenes.words, [p['prompt'] for p in prompts], args.cfg[0], args.tau[0], args.seed)
        judge(args.out / 'agreement', prompts, pictures)
        verdicts = json.loads((args.out / 'agreement/verdicts.json').read_text())
        scores = verifiers(args.out, scenes.words, verdicts, pictures)
        print('agreement', json.dumps(agreement(verdicts, scores, args.pictures)), flush=True)
    prompts = spread(everything, args.limit)
    for cfg in args.cfg if prompts else ():
        for tau in args.tau:
            pictures = draw(model, vae, scenes.words, [p['prompt'] for p in prompts], cfg, tau, args.seed)
            print(json.dumps({'cfg': cfg, 'tau': tau, 'n': len(prompts)}), judge(args.out / 'judged', prompts, pictures), flush=True)
            if args.sheet:
                write_sheet(args.sheet, pictures)


if __name__ == '__main__':
    main()
