"""The continuous autoencoder of toybox-flow: FLUX's autoencoder (flux/modules/autoencoder.py) in miniature, with its key names.

B batch, Z channels of the latent, H x W picture, h x w latent (H / 2 ** (levels - 1)). Pictures are -1..1. The transformer sees
(latent - shift) * scale, packed: every 2 x 2 places are one token, channel first.
"""
import torch
import torch.nn.functional as F
from torch import nn


class GroupNorm(nn.GroupNorm):
    """Kept in float32 (bf16 statistics are too coarse, and slow on a CPU)."""

    def __init__(self, channels):
        super().__init__(32, channels, eps=1e-6)

    def forward(self, x):
        return super().forward(x.float())


class AttnBlock(nn.Module):
    """One head over all places."""

    def __init__(self, channels):
        super().__init__()
        self.norm = GroupNorm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (f(h).flatten(2).transpose(1, 2) for f in (self.q, self.k, self.v))
        weights = torch.softmax((q * q.shape[-1] ** -0.5 @ k.transpose(1, 2)).float(), -1)
        return x + self.proj_out((weights.to(v.dtype) @ v).transpose(1, 2).reshape(x.shape))


class ResnetBlock(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.norm1, self.conv1 = GroupNorm(cin), nn.Conv2d(cin, cout, 3, 1, 1)
        self.norm2, self.conv2 = GroupNorm(cout), nn.Conv2d(cout, cout, 3, 1, 1)
        if cin != cout:
            self.nin_shortcut = nn.Conv2d(cin, cout, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, 'nin_shortcut') else x)


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 2, 0)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode='nearest'))


def middle(channels):
    mid = nn.Module()
    mid.block_1, mid.attn_1, mid.block_2 = ResnetBlock(channels, channels), AttnBlock(channels), ResnetBlock(channels, channels)
    return mid


def through(mid, h):
    return mid.block_2(mid.attn_1(mid.block_1(h)))


class Encoder(nn.Module):
    """[B, 3, H, W] -> [B, 2 Z, h, w]: mean and logarithm of the variance"""

    def __init__(self, ch, mult, blocks, z):
        super().__init__()
        self.conv_in, cin = nn.Conv2d(3, ch, 3, 1, 1), ch
        self.down = nn.ModuleList()
        for level, m in enumerate(mult):
            down = nn.Module()
            down.block = nn.ModuleList(ResnetBlock(cin if i == 0 else ch * m, ch * m) for i in range(blocks))
            if level + 1 < len(mult):
                down.downsample = Downsample(ch * m)
            cin = ch * m
            self.down.append(down)
        self.mid = middle(cin)
        self.norm_out, self.conv_out = GroupNorm(cin), nn.Conv2d(cin, 2 * z, 3, 1, 1)

    def forward(self, x):
        h = self.conv_in(x)
        for down in self.down:
            for block in down.block:
                h = block(h)
            if hasattr(down, 'downsample'):
                h = down.downsample(h)
        return self.conv_out(F.silu(self.norm_out(through(self.mid, h))))


class Decoder(nn.Module):
    """[B, Z, h, w] -> [B, 3, H, W]; `up.0` is the last level to run."""

    def __init__(self, ch, mult, blocks, z):
        super().__init__()
        cin = ch * mult[-1]
        self.conv_in, self.mid = nn.Conv2d(z, cin, 3, 1, 1), middle(cin)
        ups = []
        for level in reversed(range(len(mult))):
            up, cout = nn.Module(), ch * mult[level]
            up.block = nn.ModuleList(ResnetBlock(cin if i == 0 else cout, cout) for i in range(blocks + 1))
            if level:
                up.upsample = Upsample(cout)
            cin = cout
            ups.insert(0, up)
        self.up = nn.ModuleList(ups)
        self.norm_out, self.conv_out = GroupNorm(cin), nn.Conv2d(cin, 3, 3, 1, 1)

    def forward(self, z):
        h = through(self.mid, self.conv_in(z))
        for up in reversed(self.up):
            for block in up.block:
                h = block(h)
            if hasattr(up, 'upsample'):
                h = up.upsample(h)
        return self.conv_out(F.silu(self.norm_out(h)))


class AutoEncoder(nn.Module):
    def __init__(self, ch=32, mult=(1, 1, 2), blocks=1, z=4):
        super().__init__()
        self.sizes = dict(ch=ch, ch_mult=list(mult), num_res_blocks=blocks, z_channels=z)
        self.encoder, self.decoder = Encoder(ch, mult, blocks, z), Decoder(ch, mult, blocks, z)

    def encode(self, images):
        """Mean and deviation of the latent, [B, Z, h, w] each."""
        mean, log_variance = self.encoder(images).float().chunk(2, 1)
        return mean, torch.exp(0.5 * log_variance.clamp(-20, 10))

    def start_from(self, state):
        """Takes what has the same place and shape in the trained BSQ autoencoder (its levels of the same resolution)."""
        own, taken = self.state_dict(), 0
        for name, value in state.items():
            name = name.replace('.norm.', '.').replace('.conv.weight', '.weight').replace('.conv.bias', '.bias')
            name = name.replace('sample.weight', 'sample.conv.weight').replace('sample.bias', 'sample.conv.bias')
            if name in own and own[name].shape == value.shape:
                own[name] = value.float()
                taken += 1
        self.load_state_dict(own)
        return taken, len(own)


def pack(latent):
    """[B, Z, h, w] -> tokens [B, h/2 * w/2, 4 Z]"""
    b, z, h, w = latent.shape
    return latent.view(b, z, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, 4 * z)


def unpack(packed, h, w):
    """tokens [B, h/2 * w/2, 4 Z] -> [B, Z, h, w]"""
    b, _, c = packed.shape
    return packed.view(b, h // 2, w // 2, c // 4, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(b, c // 4, h, w)
