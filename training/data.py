"""Scenes from .work/scenes.bin: records of 42 bytes, drawn on the fly, and their captions as token ids."""
import json

import numpy as np
import torch

from renderer import BACKGROUND_RGB, Renderer

HEADER, RECORD, WORDS = 4096, 42, 20
PAD, EOS, UNK, FIRST = 0, 1, 2, 3  # T5 ids: word i of the vocabulary is FIRST + i


class Scenes:
    def __init__(self, path):
        with open(path, 'rb') as file:
            self.header = json.loads(file.read(HEADER))
        self.records = np.memmap(path, np.uint8, 'r', HEADER).reshape(-1, RECORD)
        self.words = self.header['vocabulary']
        self.draw = Renderer()

    def __len__(self):
        return len(self.records)

    def images(self, index):
        """Pictures [B, 3, 64, 64] in -1..1, rounded to bytes as a reader of files would see them."""
        pixels = np.floor(self.draw(self.records[index]) + 0.5)
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous() / 127.5 - 1

    def objects(self, index, images):
        """Which pixels of pictures [B, 3, 64, 64] show an object: 0 or 1, [B, 1, 64, 64]."""
        background = torch.from_numpy(BACKGROUND_RGB[self.records[index][:, 0] >> 4]).to(images.device) / 127.5 - 1
        return ((images - background[:, :, None, None]).abs().amax(1, keepdim=True) > 0.02).float()

    def textured(self):
        """Numbers of the scenes with a striped or dotted object."""
        return np.nonzero((np.asarray(self.records[:, 3:22:4]) >> 6).any(1))[0]

    def captions(self, index):
        """Token ids [B, 21] with </s> at the end, zeros behind, and the lengths [B]."""
        return tokens(self.records[index][:, 22:])

    def text(self, index):
        return ' '.join(self.words[w - 1] for w in self.records[index][22:] if w).replace(' ,', ',')


def tokens(words):
    words = torch.from_numpy(np.asarray(words).astype(np.int64))
    ids = torch.zeros(len(words), words.shape[1] + 1, dtype=torch.long)
    ids[:, :-1] = torch.where(words > 0, words + (FIRST - 1), 0)
    lengths = (words > 0).sum(1)
    ids[torch.arange(len(ids)), lengths] = EOS
    return ids, lengths + 1


def encode(prompt, vocabulary):
    """A prompt's word ids (1..N, zero padded to 20), as in the records; unknown words are an error."""
    words = prompt.replace(',', ' ,').split()
    return np.array([vocabulary.index(w) + 1 for w in words] + [0] * (WORDS - len(words)), np.uint8)
