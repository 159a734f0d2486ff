"""The Infinity transformer (infinity/models/infinity.py, basic.py) under the official key names.

B batch, L tokens of all scales, T text tokens, C width, H heads, D bits of a token. Training sees all scales at once
(each scale attends to itself and to earlier ones); inference gives a prefix of the scales and reads the last.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from t5 import RMSNorm
from vae import grow, shrink, sign_codes

GELU = math.sqrt(2 / math.pi)


def rope_table(schedule, head_width, reach):
    """Complex [L, head_width / 2]: rows turn the first half of the pairs, columns the second.

    Places are stretched to `reach` (h, w) and rounded: the last scale of the official 1M schedule there, of our own here.
    """
    half = head_width // 2
    speed = 1.0 / 10000 ** (torch.arange(0, half, 2).float() / half)
    parts = []
    for h, w in schedule:
        rows, columns = (torch.arange(n) * (last / n) for n, last in zip((h, w), reach))
        rows, columns = rows.round()[:, None].expand(h, w).flatten(), columns.round()[None].expand(h, w).flatten()
        parts.append(torch.cat([torch.outer(rows, speed), torch.outer(columns, speed)], 1))
    angles = torch.cat(parts)
    return torch.polar(torch.ones_like(angles), angles)


def rotate(x, table):
    """x [B, H, L, head width], pairs of neighbours turned by table [L, head width / 2]."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * table).flatten(-2)


class FastGelu(torch.autograd.Function):
    """GELU, tanh form, as x * sigmoid(2u): some four times faster in bfloat16 than the library's on a CPU."""

    @staticmethod
    def forward(ctx, x):
        square = x * x
        gate = (square * (2 * GELU * 0.044715)).add_(2 * GELU).mul_(x).sigmoid_()
        out = x * gate
        slope = square.mul_(6 * GELU * 0.044715).add_(2 * GELU)
        ctx.save_for_backward(torch.addcmul(gate, slope, torch.addcmul(out, out, gate, value=-1)))
        return out

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0]


def gelu(x):
    fast = x.dtype == torch.bfloat16 and x.device.type == 'cpu'
    return FastGelu.apply(x) if fast else F.gelu(x, approximate='tanh')


def attend(q, k, v, mask=None):
    """softmax(q k^T + mask) v on [B, H, L, c]; q comes scaled."""
    scores = q.to(v.dtype) @ k.to(v.dtype).transpose(-1, -2)
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    return torch.softmax(scores, -1).to(v.dtype) @ v


def norm(x):
    return F.layer_norm(x.float(), x.shape[-1:], eps=1e-6)


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.scale_mul_1H11 = nn.Parameter(torch.full((1, heads, 1, 1), 4.0).log())
        self.mat_qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer('zero_k_bias', torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x, table, mask):
        b, l, c = x.shape
        bias = torch.cat((self.q_bias, self.zero_k_bias, self.v_bias))
        q, k, v = F.linear(x, self.mat_qkv.weight, bias).view(b, l, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q = F.normalize(q.float(), dim=-1) * self.scale_mul_1H11.clamp(max=math.log(100)).exp()
        q, k = rotate(q, table), rotate(F.normalize(k.float(), dim=-1), table)
        return self.proj(attend(q, k, v, mask).transpose(1, 2).reshape(b, l, c))


class CrossAttention(nn.Module):
    """Attention to the text; with a learned query instead of `x` it is the official TextAttentivePool."""

    def __init__(self, width, text_width, heads, pool=False):
        super().__init__()
        self.heads, head = heads, width // heads
        self.mat_q = nn.Parameter(torch.randn(1, heads, head) * (1 / width / 3) ** 0.5) if pool else nn.Linear(width, width)
        self.mat_kv = nn.Linear(text_width, 2 * width, bias=False)
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.register_buffer('zero_k_bias', torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x, text, mask):
        b, t, _ = text.shape
        kv = F.linear(text, self.mat_kv.weight, torch.cat((self.zero_k_bias, self.v_bias)))
        k, v = kv.view(b, t, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        if x is None:
            q = self.mat_q.unsqueeze(2).expand(b, -1, -1, -1)
        else:
            q = self.mat_q(x).view(b, x.shape[1], self.heads, -1).transpose(1, 2)
        out = attend(q * q.shape[-1] ** -0.5, k, v, mask)
        return self.proj(out.transpose(1, 2).reshape(b, q.shape[2], -1))


class FFN(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads, mlp_ratio):
        super().__init__()
        self.ada_gss = nn.Parameter(torch.zeros(1, 1, 6, width))
        self.ada_gss.data[:, :, :2] = 1.0
        self.sa, self.ca = SelfAttention(width, heads), CrossAttention(width, width, heads)
        self.ffn = FFN(width, round(width * mlp_ratio / 256) * 256)
        self.ca_norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x, ada, text, text_mask, table, mask):
        gamma1, gamma2, scale1, scale2, shift1, shift2 = (self.ada_gss + ada).unbind(2)
        x = x + self.sa(torch.addcmul(shift1, norm(x), scale1 + 1), table, mask) * gamma1
        x = x + self.ca(self.ca_norm(x), text, text_mask)
        return x + self.ffn(torch.addcmul(shift2, norm(x), scale2 + 1)) * gamma2


class Infinity(nn.Module):
    def __init__(self, schedule, dim=16, width=256, depth=5, heads=8, chunks=5, mlp_ratio=4, text_width=256, text_maxlen=32,
                 reach=None):
        super().__init__()
        self.schedule, self.dim, self.heads, self.text_maxlen = [tuple(s) for s in schedule], dim, heads, text_maxlen
        self.cfg_uncond = nn.Parameter(torch.randn(text_maxlen, text_width) / text_width ** 0.5)
        self.pos_start = nn.Parameter(torch.randn(1, 1, width) * (1 / width / 3) ** 0.5)
        self.text_norm = RMSNorm(text_width)
        self.text_proj_for_sos = nn.Module()
        self.text_proj_for_sos.ca = CrossAttention(width, text_width, text_width // 128, pool=True)
        self.text_proj_for_ca = nn.Sequential(nn.Linear(text_width, width), nn.GELU(approximate='tanh'), nn.Linear(width, width))
        self.lvl_embed = nn.Embedding(15, width)
        self.word_embed = nn.Linear(dim, width)
        self.shared_ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        self.block_chunks = nn.ModuleList()
        for _ in range(chunks):
            chunk = nn.Module()
            chunk.module = nn.ModuleList(Block(width, heads, mlp_ratio) for _ in range(depth // chunks))
            self.block_chunks.append(chunk)
        self.head_nm = nn.Module()
        self.head_nm.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.head = nn.Linear(width, 2 * dim)
        self.reset()
        scale = torch.cat([torch.full((h * w,), k) for k, (h, w) in enumerate(self.schedule)])
        self.register_buffer('level', scale, persistent=False)
        self.register_buffer('table', rope_table(self.schedule, width // heads, reach or self.schedule[-1]), persistent=False)
        self.register_buffer('mask', torch.where(scale[:, None] >= scale[None], 0.0, -1e4), persistent=False)

    def reset(self):
        """Every branch starts at zero (proj, fc2, head), all other matrices near 1 / sqrt(fan in)."""
        for name, p in self.named_parameters():
            if p.ndim == 2 and name.endswith('weight'):
                nn.init.normal_(p, std=0.5 * p.shape[1] ** -0.5)
            if name.endswith(('sa.proj.weight', 'ffn.fc2.weight', 'head.weight')) or name.startswith(('shared_ada_lin', 'head_nm')):
                nn.init.zeros_(p)
            if '.module.' in name and name.endswith('ca.proj.weight'):
                nn.init.zeros_(p)
        nn.init.normal_(self.lvl_embed.weight, std=0.1)
        nn.init.normal_(self.word_embed.weight, std=0.5)
        nn.init.zeros_(self.word_embed.bias)

    def forward(self, text, lengths, inputs, drop=None):
        """Logits [B, L, 2 D] of the scales whose inputs are given.

        text [B, T, text width] states, inputs [B, L - 1, D] (the first scale has none); drop [B] puts the rows of cfg_uncond
        in place of the text (guidance).
        """
        b, t, _ = text.shape
        if drop is not None:
            text = torch.where(drop[:, None, None], self.cfg_uncond[None, :t].to(text.dtype), text)
        outside = torch.arange(t, device=text.device)[None] >= lengths[:, None]
        text_mask = torch.zeros(b, 1, 1, t, device=text.device).masked_fill(outside[:, None, None], -1e4)
        text = self.text_norm(text)
        pooled = self.text_proj_for_sos.ca(None, text, text_mask).float()  # [B, 1, C]
        text = self.text_proj_for_ca(text)
        ada = self.shared_ada_lin(pooled).float().view(b, 1, 6, -1)
        x = torch.cat((pooled + self.pos_start, self.word_embed(inputs).float()), 1)
        l = x.shape[1]
        x = x + self.lvl_embed(self.level[:l])
        for chunk in self.block_chunks:
            for block in chunk.module:
                x = block(x, ada, text, text_mask, self.table[:l], self.mask[:l, :l])
        with torch.autocast(x.device.type, enabled=False):
            scale, shift = self.head_nm.ada_lin(pooled.float()).chunk(2, -1)
            return self.head(norm(x) * (scale + 1) + shift)


@torch.no_grad()
def make_targets(f, schedule, strength=0.0):
    """Bitwise self-correction: tokens of features f [B, D, h, w], each label made from what the (flipped) sum so far leaves over.

    Returns inputs [B, L - 1, D] of scales 2.. and bits [B, L, D]. Inputs grow and shrink bilinearly, as in inference (the
    official training takes the area average here; with scales this small the two differ visibly).
    """
    total, inputs, bits = torch.zeros_like(f), [], []
    for k, size in enumerate(schedule):
        code = sign_codes(shrink(f - total, size))
        bits.append((code > 0).flatten(2).transpose(1, 2))
        if k + 1 == len(schedule):
            break
        if strength > 0:
            rate = torch.rand(len(f), 1, 1, 1, device=f.device) * strength
            code = torch.where(torch.rand_like(code) < rate, -code, code)
        total = total + grow(code, schedule[-1])
        inputs.append(grow(total, schedule[k + 1]).flatten(2).transpose(1, 2))
    return torch.cat(inputs, 1), torch.cat(bits, 1)


@torch.no_grad()
def sample(model, text, lengths, cfg=3.0, tau=1.0, generator=None, forced=None):
    """Draws all scales with guidance on the logits. Returns (summed codes [B, D, h, w], bits and logits of every scale).

    forced: bits per scale [B, h * w, D] to take instead of drawing. The prefix is computed anew for every scale.
    """
    b, schedule, dim = len(text), model.schedule, model.dim
    both = cfg != 1
    drop = torch.arange(2 * b if both else b, device=text.device) >= b
    text2, lengths2 = (torch.cat((text, text)), torch.cat((lengths, lengths))) if both else (text, lengths)
    total, inputs = 0, torch.zeros(b, 0, dim, device=text.device)
    all_bits, all_logits = [], []
    for k, (h, w) in enumerate(schedule):
        logits = model(text2, lengths2, torch.cat((inputs, inputs)) if both else inputs, drop)[:, -h * w:].float()
        logits = logits.view(-1, h * w, dim, 2) / tau
        if both:
            logits = cfg * logits[:b] + (1 - cfg) * logits[b:]
        if forced is None:
            p = torch.sigmoid(logits[..., 1] - logits[..., 0])
            bits = torch.rand(p.shape, generator=generator, device=p.device) < p
        else:
            bits = forced[k].view(b, h * w, dim) > 0
        code = (bits.float() * 2 - 1).transpose(1, 2).reshape(b, dim, h, w) / math.sqrt(dim)
        total = total + grow(code, schedule[-1])
        if k + 1 < len(schedule):
            inputs = torch.cat((inputs, grow(total, schedule[k + 1]).flatten(2).transpose(1, 2)), 1)
        all_bits.append(bits)
        all_logits.append(logits.flatten(2))
    return total, all_bits, all_logits
