"""A T5 v1.1 encoder under Hugging Face's names (T5EncoderModel), small enough to be trained along with the transformer."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def buckets(length, device, count=32, far=128):
    """[T, T] bucket of (key - query): half for each direction, one each up to 7, logarithmic from 8 to 127."""
    at = torch.arange(length, device=device)
    relative = at[None] - at[:, None]
    half, distance = count // 2, relative.abs()
    exact = half // 2
    log = exact + (torch.log(distance.clamp(min=1).float() / exact) / math.log(far / exact) * (half - exact)).long()
    return (relative > 0).long() * half + torch.where(distance < exact, distance, log.clamp(max=half - 1))


class SelfAttention(nn.Module):
    def __init__(self, width, heads, head_width, has_bias):
        super().__init__()
        self.heads, inner = heads, heads * head_width
        self.q, self.k, self.v = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, width, bias=False)
        if has_bias:
            self.relative_attention_bias = nn.Embedding(32, heads)

    def forward(self, x, bias):
        b, t, _ = x.shape
        q, k, v = (f(x).view(b, t, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        weights = torch.softmax((q @ k.transpose(-1, -2)).float() + bias, -1)
        return self.o((weights.to(v.dtype) @ v).transpose(1, 2).reshape(b, t, -1))


class Gated(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.wi_0, self.wi_1 = nn.Linear(width, hidden, bias=False), nn.Linear(width, hidden, bias=False)
        self.wo = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        return self.wo(F.gelu(self.wi_0(x), approximate='tanh') * self.wi_1(x))


def block(width, heads, head_width, hidden, first):
    attention, feed = nn.Module(), nn.Module()
    attention.SelfAttention, attention.layer_norm = SelfAttention(width, heads, head_width, first), RMSNorm(width)
    feed.DenseReluDense, feed.layer_norm = Gated(width, hidden), RMSNorm(width)
    whole = nn.Module()
    whole.layer = nn.ModuleList([attention, feed])
    return whole


class T5Encoder(nn.Module):
    """ids [B, T] and lengths [B] -> states [B, T, width]"""

    def __init__(self, vocabulary, width=256, heads=8, head_width=32, hidden=512, layers=3):
        super().__init__()
        self.sizes = dict(vocab_size=vocabulary, d_model=width, d_kv=head_width, d_ff=hidden, num_layers=layers, num_heads=heads)
        self.shared = nn.Embedding(vocabulary, width)
        self.encoder = nn.Module()
        self.encoder.block = nn.ModuleList(block(width, heads, head_width, hidden, i == 0) for i in range(layers))
        self.encoder.final_layer_norm = RMSNorm(width)
        self.reset()

    def reset(self):
        """Attention begins by place alone: each head looks at one neighbour (or, past the eighth, everywhere), q and k are zero.

        T5 does not scale its scores: with learnt q and k they ran off to hundreds here and word order was lost, so that training
        leaves q and k at zero (`freeze_content`) and learns the relative biases only.
        """
        nn.init.normal_(self.shared.weight)
        for name, p in self.named_parameters():
            if p.ndim == 2 and name != 'shared.weight':
                nn.init.normal_(p, std=0.5 * p.shape[1] ** -0.5)
            if name.endswith(('q.weight', 'k.weight', 'o.weight', 'wo.weight', 'bias.weight')):
                nn.init.zeros_(p)
        table = self.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
        for head, bucket in enumerate((1, 17, 2, 18, 3, 19, 4, 20)[:table.shape[1]]):  # -1, +1, -2, +2, -3, +3, -4, +4
            table.data[bucket, head] = 6.0

    def freeze_content(self):
        for name, p in self.named_parameters():
            if name.endswith(('.q.weight', '.k.weight')):
                p.requires_grad_(False)

    def forward(self, ids, lengths):
        x, t = self.shared(ids), ids.shape[1]
        table = self.encoder.block[0].layer[0].SelfAttention.relative_attention_bias
        bias = table(buckets(t, ids.device)).permute(2, 0, 1)[None].float()
        hidden = torch.arange(t, device=ids.device)[None] >= lengths[:, None]
        bias = bias.masked_fill(hidden[:, None, None], torch.finfo(torch.float32).min)
        for b in self.encoder.block:
            attention, feed = b.layer
            x = x + attention.SelfAttention(attention.layer_norm(x), bias)
            x = x + feed.DenseReluDense(feed.layer_norm(x))
        return self.encoder.final_layer_norm(x)

    def config(self):
        """config.json of the Hugging Face layout."""
        return {'architectures': ['T5EncoderModel'], 'model_type': 't5', **self.sizes, 'relative_attention_num_buckets': 32,
                'relative_attention_max_distance': 128, 'dropout_rate': 0.0, 'layer_norm_epsilon': 1e-6,
                'feed_forward_proj': 'gated-gelu', 'is_gated_act': True, 'dense_act_fn': 'gelu_new', 'pad_token_id': 0,
                'eos_token_id': 1, 'torch_dtype': 'float16'}
