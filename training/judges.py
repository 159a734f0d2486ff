"""Trains the verifiers on pictures that the embedded model drew: python3 training/judges.py image_reward clip llava --minutes 60

The weights in assets/toybox are where training starts; what is learnt is in training/on-policy.ts's pictures, their prompts, and
what the detector says of them. On a CPU or on one GPU, with PyTorch 1.13 or 2: a phase has a time budget, goes on from its
checkpoint (files of at most 15 MB), and measures itself on held-out prompts while it runs. `--smoke` runs a few steps of everything.
`--export` writes the files of assets/toybox from the averaged weights of the named phases. `aesthetic` is for after `clip`, whose
vectors its head reads: it knows no labels.
"""
import argparse
import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from aesthetic import load_aesthetic, train_aesthetic
from agreement import clip_ids
from changes import shows, unpack
from clip import CLIP, normalise
from damage import Codec
from data import Scenes
from export import export_aesthetic, export_image_reward, half, write_json
from files import read_safetensors, write_safetensors
from image_reward import caption_ids, for_words
from llava import Llava
from llava_tokenizer import tokenizer_json
from loop import DEVICE, Phase, autocast, load_averaged
from on_policy import PICTURES, SCALES, Batch, Groups, OnPolicy, measured, measured_previews, pairs
from reward_training import GroupMaker, load_clip
from tokenizers_json import clip_vocabulary
from vae import VAE

ROOT = Path(__file__).resolve().parent.parent


def shipped_vae(assets):
    vae = VAE()
    state = torch.load(assets / 'vae.pth', map_location='cpu')['vae']
    vae.load_state_dict({k: v.float() for k, v in state.items() if 'lfq' not in k})
    return vae.to(DEVICE).eval().requires_grad_(False)


def shipped_image_reward(assets, words):
    model = for_words(words)
    state = torch.load(assets / 'image-reward/ImageReward.pt', map_location='cpu')
    grown(model, {k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return model.to(DEVICE)


def shipped_clip(assets, words):
    model = CLIP(len(clip_vocabulary(words)))
    grown(model, {k: v.float() for k, v in read_safetensors(assets / 'clip/model.safetensors').items()})
    return model.to(DEVICE)


@torch.no_grad()
def grown(model, state):
    """Loads weights of a model with fewer layers. What the new ones add is nothing at first (BERT's norms behind a branch would still
    change it: they are taken from the layer before)."""
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected:
        raise SystemExit(f'the weights are of another model: {unexpected[0]} is left over')
    parameters = dict(model.named_parameters())
    for name in (name for name in missing if name in parameters):
        if name.endswith(('out_proj.weight', 'fc2.weight', 'output.dense.weight')):
            parameters[name].zero_()
        elif '.output.LayerNorm.' in name:
            head, _, tail = name.partition('.layer.')
            last = max(int(k.partition('.layer.')[2].split('.')[0]) for k in state if k.startswith(f'{head}.layer.'))
            parameters[name].copy_(state[f"{head}.layer.{last}.output.LayerNorm.{tail.rpartition('.')[2]}"])


def augmented(pictures):
    """Pictures uint8 [B, P, 3, 64, 64] -> -1..1 [N, 3, 64, 64], mild noise on a third and mild blur on a fifth of them."""
    images = pictures.flatten(0, 1).float() / 127.5 - 1
    some = torch.rand(len(images), 1, 1, 1, device=DEVICE)
    noisy = images + torch.randn_like(images) * 0.04 * (some < 0.33)
    soft = F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    share = 0.7 * torch.rand_like(some) * (some > 0.8)
    return noisy * (1 - share) + soft * share


class DrawnGroups:
    """Groups of scenes that the project drew itself, with single changes: what on-policy pictures seldom get wrong."""

    def __init__(self, scenes, groups, seed):
        self.maker, self.groups = GroupMaker(scenes, None, seed), groups

    def __call__(self, size):
        maker, captions, labels, pixels = self.maker, [], [], []
        index = maker.rng.choice(len(maker.scenes), size, replace=False)
        for record in np.asarray(maker.scenes.records[np.sort(index)]):
            changed = [maker.changes(maker.changes.varied(record), 1) for _ in range(PICTURES - 1)]
            some = [maker.changes.varied(record), *(one[0] if one else record for one in changed)]
            objects = [unpack(scene)[1] for scene in some]
            captions.append(self.groups.captions(record[22:], objects))
            prompts = [self.groups.read(caption) for caption in captions[-1]]
            labels.append([[int(shows(prompt, seen)) for prompt in prompts] for seen in objects])
            pixels.append(np.floor(maker.scenes.draw(np.stack(some)) + 0.5).astype(np.uint8))
        return Batch(np.stack([np.stack(some) for some in captions]), np.array(labels), pixels=np.stack(pixels))


class BothGroups:
    """On-policy groups, and a share of drawn ones."""

    def __init__(self, data, scenes, drawn, seed):
        self.policy, self.few = Groups(data, seed), drawn
        self.drawn = DrawnGroups(scenes, self.policy, seed)

    def __call__(self, size):
        few = round(size * self.few)
        return [self.policy(size - few), *([self.drawn(few)] if few else [])]


def worker(groups, size, queue):
    torch.set_num_threads(1)
    while True:
        queue.put(groups(size))


class Data:
    """What the phases read: on-policy groups, drawn groups, held-out groups."""

    def __init__(self, args):
        self.vae = shipped_vae(args.assets)
        pixels = args.pixels
        self.policy = None if args.export else OnPolicy(args.data / 'on-policy', self.vae, pixels and pixels / 'on-policy')
        self.held_out = OnPolicy(args.data / 'held-out', self.vae, pixels and pixels / 'held-out')
        self.scenes = Scenes(args.data / 'scenes.bin')
        self.words, self.drawn_share, self.workers = self.held_out.words, args.drawn, args.workers

    def batches(self, seed, size):
        """A function that gives captions [B, M, 20], pictures [B, P, 3, 64, 64] and labels [B, P, M] on the device."""
        def groups(n):
            return BothGroups(self.policy, self.scenes, self.drawn_share, 1000 * seed + n)
        if self.workers:
            context = multiprocessing.get_context('fork')  # the labels are shared, and nothing in there touches the device
            queue = context.Queue(2 * self.workers)
            for n in range(self.workers):
                context.Process(target=worker, args=(groups(n), size, queue), daemon=True).start()
            return lambda: self.on_device(queue.get())
        here = groups(0)
        return lambda: self.on_device(here(size))

    def on_device(self, batches):
        pictures = []
        for batch in batches:
            if batch.refs is not None:
                flat = self.policy.pictures(batch.refs.reshape(-1, 2))
            else:
                flat = torch.from_numpy(batch.pixels.reshape(-1, *batch.pixels.shape[2:])).permute(0, 3, 1, 2).to(DEVICE)
            pictures.append(flat.view(*batch.labels.shape[:2], *flat.shape[1:]))
        labels = np.concatenate([batch.labels for batch in batches])
        return (np.concatenate([batch.captions for batch in batches]), torch.cat(pictures), torch.from_numpy(labels).to(DEVICE))


def ranking(scores, labels):
    """-log sigmoid of every difference that ought to be positive, and how many are."""
    pictures, captions = pairs(scores, labels)
    loss = F.softplus(-pictures).mean() + F.softplus(-captions).mean()
    figures = {'pictures right': (pictures > 0).float().mean(), 'captions right': (captions > 0).float().mean()}
    return loss, figures


class ImageRewardJudge:
    """Ranks pictures of a prompt, and captions of a picture, with the official loss."""

    # From trained weights: at 0.01 and batches of 16 groups it diverged.
    settings = dict(lr=0.003, adam_lr=2e-4, decay_from=0.3, ema=0.99, plain=('patch_embed', 'embeddings', 'mlp.layers'))

    def start(self, args, words):
        return shipped_image_reward(args.assets, words)

    def loss(self, model, words, captions, pictures, labels):
        b, p, m = labels.shape
        ids = caption_ids(captions).to(DEVICE).repeat_interleave(p, 0)
        scores = model(normalise(augmented(pictures)), ids).view(b, p, m)
        return ranking(scores, labels)

    def score(self, model, words, caption, pictures):
        images = normalise(pictures.to(DEVICE).float() / 127.5 - 1)
        ids = caption_ids(caption[None]).to(DEVICE).expand(len(images), 1, -1)
        return model(images, ids)[:, 0]


class ClipJudge:
    """Contrast within the batch, and of the group's pictures and captions with one another."""

    settings = dict(lr=0.003, adam_lr=2e-4, decay_from=0.3, ema=0.99, plain=('embedding', 'projection'))

    def start(self, args, words):
        return shipped_clip(args.assets, words)

    def loss(self, model, words, captions, pictures, labels):
        b, p, m = labels.shape
        ids = clip_ids(captions.reshape(b * m, -1), words, model.sizes['length'])
        image = model.image(normalise(augmented(pictures))).view(b, p, -1)
        text = model.text(ids).view(b, m, -1)
        scale = model.logit_scale.exp().clamp(max=100)
        loss, figures = ranking(scale * torch.einsum('bpc,bmc->bpm', image, text), labels)
        # Every group's first right picture against the captions of all groups, both ways.
        has = (labels[:, :, 0] == 1).any(1)
        first = (labels[:, :, 0] == 1).float().argmax(1)
        logits = scale * image[torch.arange(b), first][has] @ text[has, 0].t()
        own = ids.view(b, m, -1)[has, 0]
        same = (own[:, None] == own[None]).all(-1) & ~torch.eye(len(own), dtype=torch.bool, device=DEVICE)
        logits, target = logits.masked_fill(same, -1e4), torch.arange(len(own), device=DEVICE)
        contrast = (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2
        return 2 * loss + 0.5 * contrast, {**figures, 'contrast': contrast.detach(), 'scale': scale.detach()}

    def score(self, model, words, caption, pictures):
        images = normalise(pictures.to(DEVICE).float() / 127.5 - 1)
        return (model.image(images) * model.text(clip_ids(caption[None], words, model.sizes['length']))).sum(-1)


class LlavaJudge:
    """Answers yes or no; the difference of the two also ranks pictures and captions."""

    settings = dict(lr=0.01, adam_lr=1.5e-3, decay_from=0.3, ema=0.995, plain=('patch_embedding', 'embed_tokens', 'lm_head',
                                                                               'position_embedding'))

    def start(self, args, words):
        model = Llava(words).to(DEVICE)
        trained = (args.out / 'image_reward.pt').exists()
        reward = load_averaged(for_words(words), args.out, 'image_reward') if trained else shipped_image_reward(args.assets, words)
        model.start_from_image_reward(reward.blip.visual_encoder)
        return model

    def loss(self, model, words, captions, pictures, labels):
        b, p, m = labels.shape
        questions = model.questions(captions, words).to(DEVICE).repeat_interleave(p, 0)
        logits = model(augmented(pictures), questions).float().view(b, p, m, -1)
        yes, no = model.ids['yes'], model.ids['no']
        answers = torch.where(labels == 1, yes, no)
        answer = F.cross_entropy(logits.flatten(0, 2), answers.flatten())
        ranked, figures = ranking(model.answers(logits), labels)
        return answer + 0.5 * ranked, {**figures, 'answer': answer.detach()}

    def score(self, model, words, caption, pictures):
        questions = model.questions(caption[None, None], words).to(DEVICE).expand(len(pictures), 1, -1)
        return model.answers(model(pictures.to(DEVICE).float() / 127.5 - 1, questions).float())[:, 0]


JUDGES = {'image_reward': ImageRewardJudge(), 'clip': ClipJudge(), 'llava': LlavaJudge()}


def evaluate(judge, model, data, groups=None):
    """The table of held-out pairs."""
    def score(caption, pictures):
        with autocast():
            return judge.score(model, data.words, caption, pictures).float().cpu().numpy()
    return {**measured(data.held_out, score), **measured_previews(data.held_out, score)}


def train(name, args, data):
    judge = JUDGES[name]
    model = judge.start(args, data.words)
    settings = {**judge.settings, **{rate: args.rate * judge.settings[rate] for rate in ('lr', 'adam_lr')}}
    phase = Phase(name, args.out, args.minutes[name], model, **settings)
    batch, measured_at = data.batches(100 + phase.step, args.batch), [time.time()]

    def loss_of_step(step):
        if step % 200 == 199 and not data.workers:
            data.policy.refresh(most=3)
        if time.time() - measured_at[0] > args.measure_every * 60:
            phase.log({'held out': evaluate(judge, phase.ema, data)})
            measured_at[0] = time.time()
        captions, pictures, labels = batch()
        with autocast():
            return judge.loss(model, data.words, captions, pictures, labels)

    if phase.step == 0:
        phase.log({'held out': evaluate(judge, model.eval(), data)})
    ema = phase.run(loss_of_step, args.log_every)
    phase.log({'held out': evaluate(judge, ema, data), 'pictures': 16 * len(data.policy)})


@torch.no_grad()
def rewards_of(model, data):
    """(mean, deviation) of the rewards of held-out pictures for their prompts."""
    judge, rewards = JUDGES['image_reward'], []
    for g in range(len(data.held_out)):
        pictures = torch.stack([data.held_out.image(g, k) for k in range(data.held_out.right.shape[1])])
        with autocast():  # float32 products are fifty times slower on a CPU with AMX
            rewards.append(judge.score(model, data.words, data.held_out.caption(g), pictures))
    rewards = torch.cat(rewards)
    return float(rewards.mean()), float(rewards.std())


def export(name, args, data):
    """The files of a phase's averaged weights: below args.export as in assets/toybox, llava's as training/llava/export.ts reads it."""
    to = args.export
    if name == 'image_reward':
        model = load_averaged(for_words(data.words), args.out, name)
        export_image_reward(to, data.words, model, *rewards_of(model, data))
    elif name == 'clip':
        model = load_averaged(CLIP(len(clip_vocabulary(data.words))), args.out, name)
        (to / 'clip').mkdir(parents=True, exist_ok=True)
        write_safetensors(to / 'clip/model.safetensors', half(model.state_dict()))
        write_json(to / 'clip/config.json', model.config())
    elif name == 'aesthetic':
        export_aesthetic(to, load_aesthetic(args.out, load_clip(args.out, data.words)))
    else:
        model = load_averaged(Llava(data.words), args.out, name)
        (to / 'llava').mkdir(parents=True, exist_ok=True)
        write_safetensors(to / 'llava/model.safetensors', {k: v.half() for k, v in model.state_dict().items()})
        s = model.sizes
        vision, layers, heads = s['vision']
        sizes = {'side': s['side'], 'patch': s['patch'], 'visionWidth': vision, 'visionLayers': layers, 'visionHeads': heads,
                 'visionInner': 4 * vision, 'width': s['width'], 'inner': s['inner'], 'layers': s['layers'], 'heads': s['heads'],
                 'keyHeads': s['key_heads'], 'vocabulary': s['vocabulary']}
        write_json(to / 'llava/sizes.json', sizes)
        write_json(to / 'llava/tokenizer.json', tokenizer_json(data.words))
    print('written', to, name, flush=True)


def minutes_of(text):
    """'60' for every phase, or 'clip=12'."""
    name, _, minutes = text.rpartition('=')
    return name, float(minutes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('phases', nargs='+', choices=[*JUDGES, 'aesthetic'])
    parser.add_argument('--data', type=Path, default=Path('.work/judges'), help='folder of on-policy/, held-out/ and scenes.bin')
    parser.add_argument('--pixels', type=Path, help='folder where training/on-policy.ts kept the decoded pictures')
    parser.add_argument('--out', type=Path, default=Path('.work/judges/train'))
    parser.add_argument('--assets', type=Path, default=ROOT / 'assets/toybox', help='the weights to start from')
    parser.add_argument('--minutes', type=minutes_of, nargs='*', default=[('', 30.0)], metavar='MINUTES or PHASE=MINUTES')
    parser.add_argument('--batch', type=int, default=16 if DEVICE == 'cpu' else 256, help='groups of 4 pictures and 4 captions')
    parser.add_argument('--workers', type=int, default=0 if DEVICE == 'cpu' else 14, help='processes that put batches together')
    parser.add_argument('--drawn', type=float, default=0.25, help='share of groups that are drawn scenes')
    parser.add_argument('--rate', type=float, default=1.0, help='factor of the learning rates, which are those of batches of 16')
    parser.add_argument('--measure-every', type=float, default=10, help='minutes between measurements on held-out prompts')
    parser.add_argument('--log-every', type=int, default=50)
    parser.add_argument('--rated', type=int, default=2000, help='scenes that the aesthetic head sees clean and damaged')
    parser.add_argument('--smoke', action='store_true')
    parser.add_argument('--export', type=Path, metavar='FOLDER', help='write the files of the phases there instead of training')
    args = parser.parse_args()
    given = dict(args.minutes)
    args.minutes = {name: 0.05 if args.smoke else given.get(name, given.get('', 30.0)) for name in (*JUDGES, 'aesthetic')}
    if args.smoke:
        args.batch, args.log_every = 4, 1
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)) if DEVICE == 'cpu' else 8)
    torch.manual_seed(0)
    data = Data(args)
    if args.export:
        for name in args.phases:
            export(name, args, data)
        return
    print(json.dumps({'device': DEVICE, 'torch': torch.__version__, 'pictures': 16 * len(data.policy),
                      'right': round(float(data.policy.right.mean()), 3)}), flush=True)
    for name in args.phases:
        if name == 'aesthetic':
            train_aesthetic(args, data.scenes, Codec(data.vae, [(side, side) for side in SCALES]))
        else:
            train(name, args, data)


if __name__ == '__main__':
    main()
