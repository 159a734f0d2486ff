"""How well the verifiers agree with the TypeScript detector on pictures that the generator drew: over the pairs of one prompt of
which the detector judges one right and one wrong, how often the right one scores higher. Chance is 0.5.
"""
import numpy as np
import torch

from aesthetic import load_aesthetic
from clip import normalise
from data import encode
from image_reward import caption_ids
from loop import DEVICE
from reward_training import load_clip, load_image_reward
from tokenizers_json import clip_word_ids


def clip_ids(captions, words, length):
    """Word ids [B, 20] (0 behind) -> CLIP's ids [B, length]."""
    table, bos, eos = clip_word_ids(words)
    ids = torch.full((len(captions), length), eos)
    ids[:, 0] = bos
    ids[:, 1:1 + captions.shape[1]] = torch.tensor([eos, *table])[torch.from_numpy(captions.astype(np.int64))]
    return ids.to(DEVICE)


@torch.no_grad()
def verifiers(out, words, verdicts, pictures, batch=64):
    """{name: scores [N]} of pictures uint8 [N, 64, 64, 3] for the prompts of their verdicts."""
    reward, clip = load_image_reward(out, words), load_clip(out, words)
    head, scores = load_aesthetic(out, clip), {'image-reward': [], 'clip-score': [], 'aesthetic': []}
    captions = np.stack([encode(verdict['prompt'], words) for verdict in verdicts])
    for at in range(0, len(pictures), batch):
        images = normalise(torch.from_numpy(pictures[at:at + batch]).to(DEVICE).permute(0, 3, 1, 2).float() / 127.5 - 1)
        part, vectors = captions[at:at + batch], clip.image(images)
        scores['image-reward'].append(reward(images, caption_ids(part).to(DEVICE)[:, None])[:, 0])
        scores['clip-score'].append((vectors * clip.text(clip_ids(part, words, clip.sizes['length']))).sum(-1))
        scores['aesthetic'].append(head(vectors))
    return {name: torch.cat(parts).cpu().numpy() for name, parts in scores.items()}


def agreement(verdicts, scores, pictures):
    """Pairs, the share ranked right by every verifier over all and by kind of prompt, and the share of right pictures when every
    prompt gives its best one; `pictures` of one prompt stand behind one another."""
    right = np.array([verdict['correct'] for verdict in verdicts]).reshape(-1, pictures)
    kinds = np.array([verdict['kind'] for verdict in verdicts]).reshape(-1, pictures)[:, 0]
    told = right[:, :, None] & ~right[:, None]
    result = {'pairs': int(told.sum()), 'right': round(float(right.mean()), 3), 'best possible': round(float(right.any(1).mean()), 3)}
    for name, values in scores.items():
        values = values.reshape(right.shape)
        higher = values[:, :, None] > values[:, None]
        best = right[np.arange(len(right)), values.argmax(1)]
        table = {kind: round(float(higher[told & (kinds == kind)[:, None, None]].mean()), 3)
                 for kind in dict.fromkeys(kinds) if (told & (kinds == kind)[:, None, None]).any()}
        result[name] = {'pairs right': round(float(higher[told].mean()), 3), 'best right': round(float(best.mean()), 3), **table}
    return result
