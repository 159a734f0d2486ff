"""The toybox VAE: the official Infinity BSQ-VAE in miniature (infinity/models/bsq_vae), with the official key names.

B batch, D bits of a token, H x W picture, h x w feature map (H / patch). Pictures are -1..1, codes are +-1/sqrt(D).
"""
import math

import torch
import torch.nn.functional as F
from torch import nn


class Normalize(nn.Module):
    """GroupNorm kept in float32 (bf16 statistics are too coarse, and slow on a CPU)."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)

    def forward(self, x):
        return self.norm(x.float())


class Conv(nn.Module):
    def __init__(self, cin, cout, size=3, stride=1, padding=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, size, stride, padding)

    def forward(self, x):
        return self.conv(x)


class ResnetBlock(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.norm1, self.conv1 = Normalize(cin), Conv(cin, cout)
        self.norm2, self.conv2 = Normalize(cout), Conv(cout, cout)
        if cin != cout:
            self.nin_shortcut = Conv(cin, cout, 1, 1, 0)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, 'nin_shortcut') else x)


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = Conv(channels, channels, 3, 2, 0)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = Conv(channels, channels)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode='nearest'))


def middle(channels):
    mid = nn.Module()
    mid.block_1, mid.block_2 = ResnetBlock(channels, channels), ResnetBlock(channels, channels)
    return mid


class Encoder(nn.Module):
    """[B, 3, H, W] -> [B, D, h, w]"""

    def __init__(self, ch, mult, blocks, dim, patch):
        super().__init__()
        self.conv_in, cin = Conv(3, ch), ch
        self.down = nn.ModuleList()
        for level, m in enumerate(mult):
            down = nn.Module()
            down.block = nn.ModuleList(ResnetBlock(cin if i == 0 else ch * m, ch * m) for i in range(blocks))
            if level < int(math.log2(patch)):
                down.downsample = Downsample(ch * m)
            cin = ch * m
            self.down.append(down)
        self.mid = middle(cin)
        self.norm_out, self.conv_out = Normalize(cin), Conv(cin, dim)

    def forward(self, x):
        h = self.conv_in(x)
        for down in self.down:
            for block in down.block:
                h = block(h)
            if hasattr(down, 'downsample'):
                h = down.downsample(h)
        h = self.mid.block_2(self.mid.block_1(h))
        return self.conv_out(F.silu(self.norm_out(h)))


class Decoder(nn.Module):
    """[B, D, h, w] -> [B, 3, H, W]; `up.0` is the last level to run."""

    def __init__(self, ch, mult, blocks, dim, patch):
        super().__init__()
        cin = ch * mult[-1]
        self.conv_in, self.mid = Conv(dim, cin), middle(cin)
        ups = []
        for level in reversed(range(len(mult))):
            up, cout = nn.Module(), ch * mult[level]
            up.block = nn.ModuleList(ResnetBlock(cin if i == 0 else cout, cout) for i in range(blocks + 1))
            if 1 <= level <= int(math.log2(patch)):
                up.upsample = Upsample(cout)
            cin = cout
            ups.insert(0, up)
        self.up = nn.ModuleList(ups)
        self.norm_out, self.conv_out = Normalize(cin), Conv(cin, 3)

    def forward(self, z):
        h = self.mid.block_2(self.mid.block_1(self.conv_in(z)))
        for up in reversed(self.up):
            for block in up.block:
                h = block(h)
            if hasattr(up, 'upsample'):
                h = up.upsample(h)
        return self.conv_out(F.silu(self.norm_out(h)))


def grow(x, size):
    """Bilinear on [B, D, h, w]: the official trilinear mode with one frame."""
    return x if tuple(x.shape[-2:]) == tuple(size) else F.interpolate(x, size=tuple(size), mode='bilinear')


def shrink(x, size):
    return x if tuple(x.shape[-2:]) == tuple(size) else F.adaptive_avg_pool2d(x, tuple(size))


def sign_codes(x):
    """The code of a vector: the sign of each entry over sqrt(D); exactly 0 counts as minus."""
    return torch.where(x > 0, 1.0, -1.0) / math.sqrt(x.shape[1])


class VAE(nn.Module):
    def __init__(self, ch=32, mult=(1, 1, 2, 4), blocks=1, dim=16, patch=8):
        super().__init__()
        self.dim = dim
        self.encoder = Encoder(ch, mult, blocks, dim, patch)
        self.decoder = Decoder(ch, mult, blocks, dim, patch)

    def quantise(self, f, schedule):
        """Multi-scale residual quantiser: features -> (list of codes [B, D, h_k, w_k], with the straight-through gradient)."""
        residual, codes = f, []
        for size in schedule:
            x = F.normalize(shrink(residual, size), dim=1)
            code = x + (sign_codes(x) - x).detach()
            residual = residual - grow(code.detach(), schedule[-1])
            codes.append(code)
        return codes

    def forward(self, images, schedule, keep=None):
        """Reconstruction and features; keep [B] cuts the sum after that many scales (the rest are dropped)."""
        f = self.encoder(images).float()
        codes = self.quantise(f, schedule)
        total = 0
        for k, code in enumerate(codes):
            up = grow(code, schedule[-1])
            total = total + (up if keep is None else up * (keep > k).float().view(-1, 1, 1, 1))
        return self.decoder(total).float(), f, total


def summed(codes, schedule):
    return sum(grow(c, schedule[-1]) for c in codes)


def official_state(vae):
    """The file layout of the official checkpoint: everything under the key `vae`, with the quantiser's bit masks."""
    mask = 2 ** torch.arange(vae.dim - 1, -1, -1)
    state = {k: v.detach().half().contiguous() for k, v in vae.state_dict().items()}
    return {'vae': {**state, 'quantizer.lfq.mask': mask, 'quantize.lfq.mask': mask.clone()}}
