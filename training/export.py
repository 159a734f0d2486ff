"""Writes assets/toybox: weights in the official layouts (matrices in half precision, vectors in float32), configs and tokenizers."""
import json

import torch

from clip import MEAN, STD
from files import write_safetensors
from tokenizers_json import bert_tokenizer, clip_tokenizer, t5_tokenizer
from vae import official_state


def half(state):
    return {k: (v.half() if v.ndim >= 2 else v.float()).detach().cpu().contiguous().clone() for k, v in state.items()}


def write_json(path, value, indent=2):
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + '\n')


def infinity_config(model, vae, recommended):
    i, d, f = model.infinity, vae.decoder, model.infinity.block_chunks[0].module[0].ffn
    width = i.pos_start.shape[-1]
    return {'name': 'toybox', 'embed_dim': width, 'depth': sum(len(c.module) for c in i.block_chunks), 'num_heads': i.heads,
            'block_chunks': len(i.block_chunks), 'mlp_ratio': f.fc1.weight.shape[0] // width,
            'text_channels': i.cfg_uncond.shape[1], 'text_maxlen': i.text_maxlen, 'codebook_dim': i.dim,
            'vae_base_channels': 32, 'vae_channel_multipliers': [1, 1, 2, 4], 'vae_num_res_blocks': 1, 'vae_patch_size': 8,
            'apply_spatial_patchify': False, 'aspect_ratio_h_div_w': 1.0, 'image_size': [64, 64],
            'scale_schedule': [list(s) for s in i.schedule], 'rope_reach': list(i.schedule[-1]), 'rope2d_each_sa_layer': 1,
            'rope2d_normalized_by_hw': 2, 'add_lvl_embeding_only_first_block': 1, 'use_bit_label': 1, 'cos_attn': True,
            'norm_eps': 1e-6, 'dtype': 'torch.float16', 'vae_dtype': 'torch.float16', 'has_encoder': True, **recommended}


def export(folder, words, model, vae, clip, recommended):
    """The generator and CLIP, with configs and tokenizers."""
    (folder / 'text-encoder').mkdir(parents=True, exist_ok=True)
    (folder / 'clip').mkdir(exist_ok=True)
    write_json(folder / 'config.json', infinity_config(model, vae, recommended))
    torch.save(half(model.infinity.state_dict()), folder / 'transformer.pth')
    write_safetensors(folder / 'text-encoder/model.safetensors', half(model.t5.state_dict()))
    write_json(folder / 'text-encoder/config.json', model.t5.config())
    torch.save(official_state(vae), folder / 'vae.pth')
    write_safetensors(folder / 'clip/model.safetensors', half(clip.state_dict()))
    write_json(folder / 'clip/config.json', clip.config())
    side = clip.sizes['side']
    write_json(folder / 'clip/preprocessor_config.json', {
        'image_processor_type': 'CLIPImageProcessor', 'do_resize': True, 'size': {'shortest_edge': side}, 'resample': 3,
        'do_center_crop': True, 'crop_size': {'height': side, 'width': side}, 'do_rescale': True, 'rescale_factor': 1 / 255,
        'do_normalize': True, 'image_mean': MEAN, 'image_std': STD, 'do_convert_rgb': True, 'image_size': side})
    length = clip.sizes['length']
    write_json(folder / 'clip/tokenizer.json', clip_tokenizer(words, length))
    write_json(folder / 'clip/tokenizer_config.json', {
        'tokenizer_class': 'CLIPTokenizer', 'bos_token': '<|startoftext|>', 'eos_token': '<|endoftext|>',
        'pad_token': '<|endoftext|>', 'unk_token': '<|endoftext|>', 'model_max_length': length, 'do_lower_case': True})
    write_json(folder / 'text-encoder/tokenizer.json', t5_tokenizer(words))
    write_json(folder / 'text-encoder/tokenizer_config.json', {
        'tokenizer_class': 'T5Tokenizer', 'eos_token': '</s>', 'pad_token': '<pad>', 'unk_token': '<unk>',
        'model_max_length': 32, 'extra_ids': 0})


def export_aesthetic(folder, head):
    """The one file of LAION's layout."""
    (folder / 'aesthetic').mkdir(parents=True, exist_ok=True)
    torch.save(half(head.state_dict()), folder / 'aesthetic/aesthetic.pth')


def export_image_reward(folder, words, model, mean, deviation):
    """The official pair of files, the tokenizer, and what else the official code has as constants."""
    at = folder / 'image-reward'
    at.mkdir(parents=True, exist_ok=True)
    state = half(model.state_dict())
    state['blip.text_encoder.embeddings.position_ids'] = model.blip.text_encoder.embeddings.position_ids.cpu().clone()
    torch.save(state, at / 'ImageReward.pt')
    write_json(at / 'med_config.json', model.med_config())
    write_json(at / 'config.json', model.config(mean, deviation))
    write_json(at / 'tokenizer.json', bert_tokenizer(words))
