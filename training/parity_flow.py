"""Holds this FLUX against fixtures of the official code, and writes such a fixture of the exported toybox-flow.

    python3 training/parity_flow.py check CONFORMANCE_DIR   largest absolute difference; fails above 3e-4
    python3 training/parity_flow.py make FOLDER DIR         the same layout, from exported files, float32
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch

from autoencoder import AutoEncoder, pack, unpack
from clip import TextTower
from data import FIRST, encode
from files import read_safetensors, write_safetensors
from flux import Flux, image_ids, schedule, sinusoid
from t5 import T5Encoder
from train_flow import TEXT, text_ids


def load(folder):
    """Transformer, autoencoder (its encoder untrained) and configuration of a folder, widened to float32."""
    config = json.loads((folder / 'config.json').read_text())
    params, ae = {k: v for k, v in config['params'].items() if k != 'out_channels'}, config['ae_params']
    flow = Flux(**params).eval()
    flow.load_state_dict({k: v.float() for k, v in read_safetensors(folder / 'flux.safetensors').items()})
    autoencoder = AutoEncoder(ae['ch'], ae['ch_mult'], ae['num_res_blocks'], ae['z_channels']).eval()
    state = {k: v.float() for k, v in read_safetensors(folder / 'ae.safetensors').items()}
    if autoencoder.load_state_dict(state, strict=False).unexpected_keys:
        raise ValueError('ae.safetensors is of another kind')
    return flow, autoencoder, config


def decoded(autoencoder, config, latent):
    ae = config['ae_params']
    return autoencoder.decoder(latent / ae['scale_factor'] + ae['shift_factor'])


@torch.no_grad()
def check(folder):
    flow, autoencoder, config = load(folder)
    r = read_safetensors(folder / 'reference.safetensors')
    ours = {'prediction': flow(r['img'], r['img_ids'][0].float(), r['txt'], r['timesteps'], r['y'], r.get('guidance')),
            'ae.image': decoded(autoencoder, config, r['ae.z'])}
    worst = {name: float((value - r[name]).abs().max()) for name, value in ours.items()}
    print(folder.name, {name: f'{difference:.1e}' for name, difference in worst.items()})
    return max(worst.values())


@torch.no_grad()
def text(folder, prompts):
    """States [B, 24, 256] and pooled states [B, 128] by the exported text encoders."""
    vocabulary = json.loads((folder / 'text-encoder/tokenizer.json').read_text())['model']['vocab']
    words = [piece.strip('\u2581') for piece, _ in vocabulary][FIRST:]
    t5 = T5Encoder(len(words) + FIRST).eval()
    t5.load_state_dict({k: x.float() for k, x in read_safetensors(folder / 'text-encoder/model.safetensors').items()})
    sizes = json.loads((folder / 'clip-text/config.json').read_text())
    clip = TextTower(sizes['hidden_size'], sizes['num_hidden_layers'], sizes['vocab_size'], sizes['max_position_embeddings']).eval()
    state = read_safetensors(folder / 'clip-text/model.safetensors')
    clip.load_state_dict({k[len('text_model.'):]: x.float() for k, x in state.items()})
    t5_ids, clip_ids = text_ids(np.stack([encode(prompt, words) for prompt in prompts]), words)
    return t5(t5_ids, torch.full((len(prompts),), TEXT)), clip(clip_ids), t5_ids, clip_ids


@torch.no_grad()
def make(folder, out):
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(6)
    flow, autoencoder, config = load(folder)
    prompts = ['three red stars left of a blue circle', 'a heart']
    txt, pooled, t5_ids, clip_ids = text(folder, prompts)
    side, channels = config['height'] // 8, config['params']['in_channels']
    ids = image_ids(side, side)
    steps, strength = 4, config['guidance']
    img, t, guidance = torch.randn(2, len(ids), channels), torch.tensor([0.9, 0.35]), torch.full((2,), strength)
    z, times = torch.randn(1, channels // 4, 2 * side, 2 * side), schedule(steps, len(ids))
    noise = torch.randn_like(z)
    reference = {'img': img, 'img_ids': ids.expand(2, -1, -1), 'txt': txt, 'txt_ids': torch.zeros(2, TEXT, 3), 'timesteps': t, 'y': pooled,
                 'guidance': guidance, 'prediction': flow(img, ids, txt, t, pooled, guidance), 't5.input_ids': t5_ids.int(),
                 'clip.input_ids': clip_ids.int(), 'intermediate.timestep_embedding': sinusoid(t),
                 'intermediate.guidance_embedding': sinusoid(guidance), 'ae.z': z, 'ae.image': decoded(autoencoder, config, z),
                 f'schedule.shift.seq{len(ids)}.steps{steps}': times, 'denoise.timesteps': times, 'denoise.noise': noise,
                 'denoise.txt': txt[:1], 'denoise.vec': pooled[:1], 'denoise.img_ids': ids[None], 'denoise.img_packed': pack(noise)}
    x = pack(noise)
    for i, (now, then) in enumerate(zip(times[:-1], times[1:])):
        prediction = flow(x, ids, txt[:1], now[None], pooled[:1], guidance[:1])
        x = x + (then - now) * prediction
        reference.update({f'denoise.prediction.{i}': prediction, f'denoise.img.{i + 1}': x})
    latent = unpack(x, 2 * side, 2 * side)
    reference.update({'denoise.latent_packed': x, 'denoise.latent': latent, 'denoise.image': decoded(autoencoder, config, latent)})
    write_safetensors(out / 'reference.safetensors', {k: v.contiguous() for k, v in reference.items()})
    schedules = [{'num_steps': steps, 'image_seq_len': len(ids), 'shift': True}]
    (out / 'config.json').write_text(json.dumps({**config, 'num_steps': steps, 'schedules': schedules, 'prompts': prompts}, indent=1))
    for name in ('flux.safetensors', 'ae.safetensors'):
        shutil.copyfile(folder / name, out / name)
    for name in ('text-encoder', 'clip-text'):
        shutil.copytree(folder / name, out / name, dirs_exist_ok=True)


if __name__ == '__main__':
    if sys.argv[1] == 'make':
        make(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(max(check(Path(sys.argv[2]) / name) for name in ('flux', 'flux-schnell')) > 3e-4)
