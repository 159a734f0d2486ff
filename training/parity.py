"""Holds these models against fixtures of the official code, and writes such a fixture of the toybox weights.

    python3 training/parity.py check CONFORMANCE_DIR     largest difference relative to the deviation; fails above 2e-4
    python3 training/parity.py make assets/toybox DIR    the same layout, from the exported files, float32
    python3 training/parity.py verifiers assets/toybox DIR    the verifiers' scores in there alone, after a training of verifiers
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch

from clip import CLIP, normalise
from data import encode, tokens
from files import read_safetensors, write_safetensors
from image_reward import ImageReward, LinearHead, caption_ids, for_words
from infinity import Infinity, sample
from t5 import T5Encoder
from tokenizers_json import clip_word_ids
from vae import VAE, summed


def compare(name, ours, theirs):
    difference = ((ours - theirs).abs().max() / theirs.float().std()).item()
    print(f'{name:32} {difference:.1e}')
    return difference


def check_infinity(folder):
    config = json.loads((folder / 'config.json').read_text())
    reference = read_safetensors(folder / 'reference.safetensors')
    schedule = config['scale_schedule']
    model = Infinity(schedule, config['codebook_dim'], config['embed_dim'], config['depth'], config['num_heads'],
                     config['block_chunks'], 4, config['text_channels'], config.get('text_maxlen', 512),
                     config.get('rope_reach', (64, 64))).eval()
    model.load_state_dict(torch.load(folder / 'transformer.pth'))
    vae = VAE(config['vae_base_channels'], config['vae_channel_multipliers'], config.get('vae_num_res_blocks', 2), config['codebook_dim'],
              config['vae_patch_size']).eval()
    state = torch.load(folder / 'vae.pth')['vae']
    vae.load_state_dict({k: v.float() for k, v in state.items() if not k.startswith('quantize')})
    lengths = torch.tensor(config['text_lengths'])
    text = reference['text_features'].split(config['text_lengths'])
    text = torch.nn.utils.rnn.pad_sequence(text, batch_first=True)
    forced = [reference[f'bits.{k}'].flatten(1, 3) for k in range(len(schedule))]
    latent, _, logits = sample(model, text, lengths, config['cfg'], config['tau'], forced=forced)
    worst = [compare(f'logits.{k}', x, reference[f'logits.{k}']) for k, x in enumerate(logits)]
    worst.append(compare('latent', latent, reference['latent']))
    with torch.no_grad():
        worst.append(compare('decoded', vae.decoder(latent).clamp(-1, 1), reference['decoded']))
        f = vae.encoder(reference['encoder.image'])
        worst.append(compare('encoder.features', f, reference['encoder.features']))
        sizes = config.get('encoder_scale_schedule') or schedule
        codes = vae.quantise(reference['encoder.features'], sizes)
        worst.append(compare('encoder.quantised', summed(codes, sizes), reference['encoder.quantised']))
    return max(worst)


def check_t5(folder):
    config = json.loads((folder / 'config.json').read_text())
    reference = read_safetensors(folder / 'reference.safetensors')
    model = T5Encoder(config['vocab_size'], config['d_model'], config['num_heads'], config['d_kv'], config['d_ff'], config['num_layers'])
    model.load_state_dict(read_safetensors(folder / 'model.safetensors'))
    with torch.no_grad():
        out = model(reference['input_ids'].long(), reference['attention_mask'].sum(1).long())
    return compare('t5 last_hidden_state', out, reference['last_hidden_state'])


def check_clip(folder):
    reference = read_safetensors(folder / 'reference.safetensors')
    model = load_clip(folder)
    with torch.no_grad():
        image, text = model.image(reference['pixel_values']), model.text(reference['input_ids'].long())
    return max(compare('clip image', image, reference['image_embeds_normalized']),
               compare('clip text', text, reference['text_embeds_normalized']))


def check_image_reward(folder):
    """Largest absolute difference of rewards, scaled so that 5e-5 (which shows a wrong GELU) comes out as the common limit."""
    config, reference = json.loads((folder / 'config.json').read_text()), read_safetensors(folder / 'reference.safetensors')
    med, tower = config['med_config'], config['visual_encoder']
    model = ImageReward(med['vocab_size'], med['max_position_embeddings'],
                        (tower['embed_dim'], tower['depth'], tower['num_heads']),
                        (med['hidden_size'], med['num_hidden_layers'], med['num_attention_heads'], med['intermediate_size']),
                        config['image_size'], tower['patch_size']).eval()
    unused = ('vision_proj', 'text_proj')
    state = torch.load(folder / 'ImageReward.pt')
    model.load_state_dict({k: v for k, v in state.items() if not any(name in k for name in unused)})
    with torch.no_grad():
        image = model.blip.visual_encoder(reference['pixel_values'])
        inputs = reference['input_ids'].long()[:, None], image, reference['attention_mask'][:, None]
        states, raw = model.blip.text_encoder(*inputs, whole=True), model.mlp(model.blip.text_encoder(*inputs))
    reward = (raw - config['reward_mean']) / config['reward_std']
    compare('reward image_embeds', image, reference['image_embeds'])
    compare('reward text states', states, reference['text_last_hidden_state'])
    difference = max(float((a - b[:, 0]).abs().max()) for a, b in ((raw, reference['reward_raw']), (reward, reference['reward'])))
    print(f'{"reward, absolute":32} {difference:.1e}')
    return difference * 2e-4 / 5e-5


def check_aesthetic(folder):
    reference = read_safetensors(folder / 'reference.safetensors')
    head = LinearHead(json.loads((folder / 'config.json').read_text())['input_size'])
    head.load_state_dict(torch.load(folder / 'aesthetic.pth'))
    with torch.no_grad():
        scores = head(reference['embeds'])
    return compare('aesthetic scores', scores, reference['scores'].view(-1))


def load_clip(folder):
    config = json.loads((folder / 'config.json').read_text())
    t, v = config['text_config'], config['vision_config']
    model = CLIP(t['vocab_size'], t['max_position_embeddings'], config['projection_dim'], (v['hidden_size'], v['num_hidden_layers']),
                 (t['hidden_size'], t['num_hidden_layers']), v['image_size'], v['patch_size']).eval()
    model.load_state_dict({k: x.float() for k, x in read_safetensors(folder / 'model.safetensors').items()})
    return model


def load_verifiers(assets, words):
    """The exported ImageReward with the mean and deviation of its rewards, and the aesthetic head."""
    reward, head = for_words(words).eval(), LinearHead(load_clip(assets / 'clip').sizes['embed']).eval()
    for model, name in ((reward, 'image-reward/ImageReward.pt'), (head, 'aesthetic/aesthetic.pth')):
        state = torch.load(assets / name)
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    config = json.loads((assets / 'image-reward/config.json').read_text())
    return reward, config['reward_mean'], config['reward_std'], head


def verifier_reference(assets, words, prompts, pictures):
    """Scores of pictures [N, 3, H, W] in -1..1 for a prompt each; the pictures are kept as bytes [N, H, W, 3]."""
    reward, mean, deviation, head = load_verifiers(assets, words)
    pixels = ((pictures + 1) * 127.5).round().byte()
    images = normalise(pixels.float() / 127.5 - 1)
    ids = caption_ids(np.stack([encode(prompt, words) for prompt in prompts]))
    return {'verifier.pictures': pixels.permute(0, 2, 3, 1), 'verifier.rewards': (reward(images, ids[:, None])[:, 0] - mean) / deviation,
            'verifier.aesthetic': head(load_clip(assets / 'clip').image(images))}


@torch.no_grad()
def make(assets, out):
    """Forced random bits through the exported files, widened to float32."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    config = json.loads((assets / 'config.json').read_text())
    t5_config = json.loads((assets / 'text-encoder/config.json').read_text())
    t5 = T5Encoder(t5_config['vocab_size']).eval()
    t5.load_state_dict({k: x.float() for k, x in read_safetensors(assets / 'text-encoder/model.safetensors').items()})
    schedule, dim = [tuple(s) for s in config['scale_schedule']], config['codebook_dim']
    model = Infinity(schedule, dim, config['embed_dim'], config['depth'], config['num_heads'], config['block_chunks']).eval()
    model.load_state_dict({k: x.float() for k, x in torch.load(assets / 'transformer.pth').items()})
    vae = VAE().eval()
    vae.load_state_dict({k: x.float() for k, x in torch.load(assets / 'vae.pth')['vae'].items() if not k.startswith('quantize')})
    clip = load_clip(assets / 'clip')
    words = [piece.strip('\u2581') for piece, _ in json.loads((assets / 'text-encoder/tokenizer.json').read_text())['model']['vocab']][3:]
    prompts = ['three red stars left of a blue circle', 'a heart']
    ids, lengths = tokens(np.stack([encode(prompt, words) for prompt in prompts]))
    ids = ids[:, :int(lengths.max())]
    states = t5(ids, lengths)
    forced = [torch.randint(0, 2, (2, h * w, dim)) for h, w in schedule]
    latent, _, logits = sample(model, states, lengths, 3.0, 1.0, forced=forced)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    features = vae.encoder(image)
    codes = vae.quantise(features, schedule)
    word_ids, bos, eos = clip_word_ids(words)
    clip_ids = torch.full((2, clip.sizes['length']), eos)
    for row, prompt in zip(clip_ids, prompts):
        line = [bos, *(word_ids[words.index(w)] for w in prompt.split())]
        row[:len(line)] = torch.tensor(line)
    reference = {'text_features': torch.cat([s[:n] for s, n in zip(states, lengths)]), 'text_ids': ids.int(), 'latent': latent,
                 'decoded': vae.decoder(latent).clamp(-1, 1), 'encoder.image': image, 'encoder.features': features,
                 'encoder.quantised': summed(codes, schedule), 'clip.input_ids': clip_ids.int(),
                 'clip.image_embeds_normalized': clip.image(normalise(image)), 'clip.text_embeds_normalized': clip.text(clip_ids),
                 **verifier_reference(assets, words, prompts, vae.decoder(latent).clamp(-1, 1))}
    for k, (h, w) in enumerate(schedule):
        reference[f'bits.{k}'] = forced[k].view(2, 1, h, w, dim).to(torch.uint8)
        reference[f'logits.{k}'] = logits[k]
        reference[f'encoder.bits.{k}'] = (codes[k] > 0).permute(0, 2, 3, 1).unsqueeze(1).to(torch.uint8)
    write_safetensors(out / 'reference.safetensors', reference)
    more = {'text_lengths': lengths.tolist(), 'batch': 2, 'cfg': 3.0, 'tau': 1.0, 'cfg_insertion_layer': [0], 'prompts': prompts}
    (out / 'config.json').write_text(json.dumps({**config, **more}, indent=1))
    for name in ('transformer.pth', 'vae.pth'):
        shutil.copy(assets / name, out / name)


@torch.no_grad()
def make_verifiers(assets, out):
    """The verifiers' scores alone, of the pictures that the fixture holds: after a training of verifiers."""
    reference = read_safetensors(out / 'reference.safetensors')
    words = [piece.strip('\u2581') for piece, _ in json.loads((assets / 'text-encoder/tokenizer.json').read_text())['model']['vocab']][3:]
    prompts = json.loads((out / 'config.json').read_text())['prompts']
    pictures = reference['verifier.pictures'].permute(0, 3, 1, 2).float() / 127.5 - 1
    clip = load_clip(assets / 'clip')
    vectors = {'clip.image_embeds_normalized': clip.image(normalise(reference['encoder.image'])),
               'clip.text_embeds_normalized': clip.text(reference['clip.input_ids'].long())}
    write_safetensors(out / 'reference.safetensors', {**reference, **vectors, **verifier_reference(assets, words, prompts, pictures)})


if __name__ == '__main__':
    if sys.argv[1] == 'make':
        make(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1] == 'verifiers':
        make_verifiers(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        root = Path(sys.argv[2])
        worst = [check_infinity(root / 'infinity-micro-2b-style'), check_t5(root / 't5-encoder'), check_clip(root / 'clip'),
                 check_image_reward(root / 'image-reward'), check_aesthetic(root / 'aesthetic')]
        sys.exit(max(worst) > 2e-4)
