"""Pictures as search meets them: through the autoencoder's tokens, and damaged in the ways of a careless generator.

Pictures are [B, 3, 64, 64] in -1..1; a severity is 0 (nothing) .. 1 for every picture, [B].
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

from loop import DEVICE, autocast
from renderer import BACKGROUND_RGB
from vae import summed

DAMAGES = ['flips', 'early scales', 'blur', 'noise', 'fade']


def as_bytes(images):
    """Rounded to 256 levels, as a reader of files would see them."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


class Codec:
    """The autoencoder with its tokens."""

    def __init__(self, vae, schedule):
        self.vae, self.schedule = vae, schedule

    @torch.no_grad()
    def __call__(self, images, flips=None, lost=None):
        """Pictures through the tokens: a share `flips` [B] of the bits flipped, and the first `lost` [B] scales random."""
        none = torch.zeros(len(images), device=images.device)
        flips, lost = (none if x is None else x for x in (flips, lost))
        parts = zip(images.split(48), flips.split(48), lost.split(48))
        return torch.cat([self.part(*part) for part in parts]) if len(images) else images

    def part(self, images, flips, lost):
        flips, lost = flips.view(-1, 1, 1, 1), lost.view(-1, 1, 1, 1)
        with autocast():
            codes = self.vae.quantise(self.vae.encoder(images).float(), self.schedule)
            rates = [torch.where(lost > k, torch.full_like(flips, 0.5), flips) for k in range(len(codes))]
            codes = [torch.where(torch.rand_like(c) < rate, -c, c) for c, rate in zip(codes, rates)]
            return as_bytes(self.vae.decoder(summed(codes, self.schedule)).float())


def blur(images, severity):
    """Gaussian, at most 4 pixels wide."""
    at = torch.arange(-8, 9, device=images.device).float()
    kernels = torch.exp(-(at / (0.3 + 3.7 * severity[:, None])).square() / 2)
    kernels = (kernels / kernels.sum(1, keepdim=True)).repeat_interleave(3, 0)
    x = F.pad(images.flatten(0, 1)[None], (8,) * 4, mode='replicate')
    x = F.conv2d(x, kernels[:, None, None], groups=len(kernels))
    return F.conv2d(x, kernels[:, None, :, None], groups=len(kernels)).view_as(images)


def noise(images, severity):
    return images + torch.randn_like(images) * 0.5 * severity.view(-1, 1, 1, 1)


def fade(images, severity, records, rng):
    """Half of the picture, beyond a line through the middle of some object, goes over into the background; gone at severity 1."""
    picks = rng.integers(np.maximum(records[:, 0] & 15, 1))
    middles = [(r[4 + 4 * k] / 4, r[5 + 4 * k] / 4) for r, k in zip(records, picks)]
    middle = torch.tensor(middles, dtype=torch.float32, device=images.device)
    angle = torch.rand(len(images), device=images.device) * 2 * math.pi
    at = torch.arange(images.shape[-1], device=images.device) + 0.5
    along = torch.cos(angle).view(-1, 1, 1) * (at[None, None] - middle[:, 0].view(-1, 1, 1))
    along = along + torch.sin(angle).view(-1, 1, 1) * (at[None, :, None] - middle[:, 1].view(-1, 1, 1))
    share = (along > 0).float()[:, None] * severity.view(-1, 1, 1, 1)
    background = torch.from_numpy(BACKGROUND_RGB[records[:, 0] >> 4]).to(images.device) / 127.5 - 1
    return images + share * (background[:, :, None, None] - images)


def damage(kind, images, severity, records, codec, rng):
    """Damaged pictures; `records` [B, 42] are their scenes."""
    if kind == 'flips':
        return codec(images, flips=0.3 * severity)
    if kind == 'early scales':
        return codec(images, lost=(severity * 4).ceil())
    if kind == 'fade':
        return as_bytes(fade(images, severity, records, rng))
    return as_bytes({'blur': blur, 'noise': noise}[kind](images, severity))


def draw(scenes, records):
    """Pictures of records [B, 42] on the device."""
    return as_bytes(torch.from_numpy(scenes.draw(records)).permute(0, 3, 1, 2).contiguous() / 127.5 - 1).to(DEVICE)
