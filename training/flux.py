"""The FLUX transformer (flux/model.py, flux/modules/layers.py) under its key names, and its schedule.

B batch, L image tokens, T text tokens, C width, H heads. Time runs from 1 (noise) to 0 (picture); the prediction is noise minus picture.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

import kernels


def sinusoid(t, width=256):
    """[B] times (0..1) or guidances -> [B, width]: all cosines, then all sines, of a thousand times the value."""
    half = width // 2
    speed = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    angles = (1000.0 * t.float())[:, None] * speed[None]
    return torch.cat((torch.cos(angles), torch.sin(angles)), 1)


def image_ids(h, w):
    """[h * w, 3]: 0, row, column of every token"""
    rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing='ij')
    return torch.stack((torch.zeros_like(rows), rows, columns), -1).reshape(-1, 3).float()


def rope(ids, axes, theta=10000):
    """ids [L, 3] -> cosines and sines, [L, half the sum of axes] each."""
    angles = torch.cat([torch.outer(ids[:, i], theta ** (-torch.arange(0, axis, 2, device=ids.device).double() / axis).float()) for i, axis in enumerate(axes)], 1)
    return angles.cos(), angles.sin()


def rotate(x, table):
    """x [B, H, L, c], pairs of neighbours turned."""
    (cos, sin), (even, odd) = table, x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Embedder(nn.Module):
    def __init__(self, cin, width):
        super().__init__()
        self.in_layer, self.out_layer = nn.Linear(cin, width), nn.Linear(width, width)

    def forward(self, x):
        return self.out_layer(F.silu(self.in_layer(x)))


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        x = x.float()
        return x * (torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.scale)


class QKNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.query_norm, self.key_norm = RMSNorm(width), RMSNorm(width)


class Modulation(nn.Module):
    def __init__(self, width, vectors):
        super().__init__()
        self.vectors, self.lin = vectors, nn.Linear(width, vectors * width)

    def forward(self, vec):
        return self.lin(F.silu(vec)).float()[:, None].chunk(self.vectors, -1)


def modulated(x, shift, scale):
    if kernels.fast(x):
        return kernels.Modulated.apply(x, shift, scale)
    return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:], eps=1e-6), scale + 1)


def gated(x, gate, y):
    return kernels.Gated.apply(x, gate, y) if kernels.fast(x) else torch.addcmul(x, gate, y.float())


def gelu(x):
    return kernels.Gelu.apply(x) if kernels.fast(x) else F.gelu(x, approximate='tanh')


class SelfAttention(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.qkv, self.norm, self.proj = nn.Linear(width, 3 * width, bias=bias), QKNorm(width // heads), nn.Linear(width, width)


def attention(heads, table, *parts):
    """Joint attention over parts (qkv [B, L, 3 C], QKNorm), one behind the other: [B, T, C]."""
    if kernels.fast(parts[0][0]):
        segments = [x for qkv, norm in parts for x in (qkv, norm.query_norm.scale, norm.key_norm.scale)]
        q, k, v = kernels.Heads.apply(heads, *table, *segments)
        return (kernels.Softmax.apply(q @ k.transpose(-1, -2)) @ v).transpose(1, 2).flatten(2)
    split = []
    for qkv, norm in parts:
        q, k, v = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
        split.append((norm.query_norm(q), norm.key_norm(k), v))
    q, k, v = (torch.cat(pair, 2) for pair in zip(*split))
    q, k = rotate(q, table) * q.shape[-1] ** -0.5, rotate(k, table)
    return (torch.softmax(q @ k.transpose(-1, -2), -1).to(v.dtype) @ v).transpose(1, 2).flatten(2)


class MLP(nn.Sequential):
    def __init__(self, width, hidden):
        super().__init__(nn.Linear(width, hidden), nn.GELU(approximate='tanh'), nn.Linear(hidden, width))

    def forward(self, x):
        return self[2](gelu(self[0](x)))


class DoubleBlock(nn.Module):
    def __init__(self, width, heads, hidden, bias):
        super().__init__()
        self.heads = heads
        for part in ('img', 'txt'):
            setattr(self, f'{part}_mod', Modulation(width, 6))
            setattr(self, f'{part}_attn', SelfAttention(width, heads, bias))
            setattr(self, f'{part}_mlp', MLP(width, hidden))

    def forward(self, img, txt, vec, table):
        i, t = self.img_mod(vec), self.txt_mod(vec)
        parts = (self.txt_attn, modulated(txt, *t[:2])), (self.img_attn, modulated(img, *i[:2]))
        out = attention(self.heads, table, *((part.qkv(x), part.norm) for part, x in parts))
        txt_out, img_out = out.split((txt.shape[1], img.shape[1]), 1)
        img = gated(img, i[2], self.img_attn.proj(img_out))
        img = gated(img, i[5], self.img_mlp(modulated(img, *i[3:5])))
        txt = gated(txt, t[2], self.txt_attn.proj(txt_out))
        txt = gated(txt, t[5], self.txt_mlp(modulated(txt, *t[3:5])))
        return img, txt


class SingleBlock(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads, self.split = heads, (3 * width, hidden)
        self.linear1, self.linear2 = nn.Linear(width, 3 * width + hidden), nn.Linear(width + hidden, width)
        self.norm, self.modulation = QKNorm(width // heads), Modulation(width, 3)

    def forward(self, x, vec, table):
        shift, scale, gate = self.modulation(vec)
        qkv, mlp = self.linear1(modulated(x, shift, scale)).split(self.split, -1)
        out = attention(self.heads, table, (qkv, self.norm))
        return gated(x, gate, self.linear2(torch.cat((out, gelu(mlp).to(out.dtype)), 2)))


class Flux(nn.Module):
    def __init__(self, in_channels=16, vec_in_dim=128, context_in_dim=256, hidden_size=192, mlp_ratio=4.0, num_heads=6, depth=2,
                 depth_single_blocks=6, axes_dim=(8, 12, 12), theta=10000, qkv_bias=True, guidance_embed=True):
        super().__init__()
        self.params = dict(in_channels=in_channels, out_channels=in_channels, vec_in_dim=vec_in_dim, context_in_dim=context_in_dim,
                           hidden_size=hidden_size, mlp_ratio=mlp_ratio, num_heads=num_heads, depth=depth,
                           depth_single_blocks=depth_single_blocks, axes_dim=list(axes_dim), theta=theta, qkv_bias=qkv_bias,
                           guidance_embed=guidance_embed)
        hidden = int(hidden_size * mlp_ratio)
        self.img_in, self.txt_in = nn.Linear(in_channels, hidden_size), nn.Linear(context_in_dim, hidden_size)
        self.time_in, self.vector_in = Embedder(256, hidden_size), Embedder(vec_in_dim, hidden_size)
        if guidance_embed:
            self.guidance_in = Embedder(256, hidden_size)
        self.double_blocks = nn.ModuleList(DoubleBlock(hidden_size, num_heads, hidden, qkv_bias) for _ in range(depth))
        self.single_blocks = nn.ModuleList(SingleBlock(hidden_size, num_heads, hidden) for _ in range(depth_single_blocks))
        self.final_layer = nn.Module()
        self.final_layer.linear = nn.Linear(hidden_size, in_channels)
        self.final_layer.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(hidden_size, 2 * hidden_size))
        self.reset()

    def reset(self):
        """Modulations and the last layer start at zero, so that every block does nothing; other matrices near 1 / sqrt(fan in)."""
        for name, p in self.named_parameters():
            if p.ndim == 2:
                nn.init.normal_(p, std=p.shape[1] ** -0.5 * (0.5 if 'blocks' in name else 1))
            elif name.endswith('bias'):
                nn.init.zeros_(p)
            if name.endswith(('mod.lin.weight', 'modulation.lin.weight', 'final_layer.linear.weight', 'adaLN_modulation.1.weight')):
                nn.init.zeros_(p)

    def forward(self, img, ids, txt, t, pooled, guidance=None, look=None):
        """Prediction [B, L, in_channels] of packed latents img at times t [B]; ids [L, 3], txt [B, T, context], pooled [B, vec].

        With `look` also the image tokens [B, L, C] after so many single blocks.
        """
        vec = self.time_in(sinusoid(t)) + self.vector_in(pooled)
        if hasattr(self, 'guidance_in'):
            vec = vec + self.guidance_in(sinusoid(guidance))
        vec, img, txt = vec.float(), self.img_in(img).float(), self.txt_in(txt).float()
        ids = torch.cat((ids.new_zeros(txt.shape[1], 3), ids)).to(img.device)
        table = rope(ids, self.params['axes_dim'], self.params['theta'])
        for block in self.double_blocks:
            img, txt = block(img, txt, vec, table)
        x = torch.cat((txt, img), 1)
        seen = None
        for i, block in enumerate(self.single_blocks):
            x = block(x, vec, table)
            if i + 1 == look:
                seen = x[:, txt.shape[1]:]
        shift, scale = self.final_layer.adaLN_modulation(vec).float()[:, None].chunk(2, -1)
        out = self.final_layer.linear(modulated(x[:, txt.shape[1]:], shift, scale)).float()
        return out if look is None else (out, seen)


def schedule(steps, tokens, base=0.5, high=1.15, shift=True):
    """The times of a run, steps + 1 values from 1 to 0."""
    times = torch.linspace(1, 0, steps + 1)
    if not shift:
        return times
    mu = base + (high - base) * (tokens - 256) / (4096 - 256)
    return math.exp(mu) / (math.exp(mu) + (1 / times - 1))


@torch.no_grad()
def sample(predict, noise, times):
    """Euler steps; predict(x, t [B]) is the model with its conditions."""
    x = noise
    for now, then in zip(times[:-1], times[1:]):
        x = x + (then - now) * predict(x, now.expand(len(x)))
    return x
