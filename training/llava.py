"""LLaVA-OneVision in miniature under the names of Hugging Face's checkpoint: SigLIP tower, projector, Qwen2-style decoder.

Pictures are [B, 3, S, S] in -1..1 (SigLIP's mean and deviation are 0.5). The chat is the real one's: the picture's rows stand in
place of <image>, the question follows, and what counts is the first token of the answer. Several questions about one picture share
its rows: they stand side by side behind it, and none sees another.
"""
import torch
import torch.nn.functional as F
from torch import nn

from llava_tokenizer import ANSWER, BEFORE, question_ids, vocabulary

ROPE_BASE, EPS = 1e6, 1e-6


class SiglipLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.self_attn, self.mlp = heads, nn.Module(), nn.Module()
        for name in ('q_proj', 'k_proj', 'v_proj', 'out_proj'):
            setattr(self.self_attn, name, nn.Linear(width, width))
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width, EPS), nn.LayerNorm(width, EPS)

    def forward(self, x):
        a, (b, t, c) = self.self_attn, x.shape
        h = self.layer_norm1(x)
        q, k, v = (f(h).view(b, t, self.heads, -1).transpose(1, 2) for f in (a.q_proj, a.k_proj, a.v_proj))
        seen = torch.softmax(q * (c // self.heads) ** -0.5 @ k.transpose(-1, -2), -1).to(v.dtype) @ v
        x = x + a.out_proj(seen.transpose(1, 2).reshape(b, t, c))
        return x + self.mlp.fc2(F.gelu(self.mlp.fc1(self.layer_norm2(x))))


class SiglipTower(nn.Module):
    """[B, 3, S, S] -> the last layer's states [B, N, C]; as in LLaVA-OneVision no norm follows."""

    def __init__(self, width, layers, heads, side, patch):
        super().__init__()
        self.embeddings, self.encoder = nn.Module(), nn.Module()
        self.embeddings.patch_embedding = nn.Conv2d(3, width, patch, patch)
        self.embeddings.position_embedding = nn.Embedding((side // patch) ** 2, width)
        self.encoder.layers = nn.ModuleList(SiglipLayer(width, heads) for _ in range(layers))

    def forward(self, images):
        x = self.embeddings.patch_embedding(images).flatten(2).transpose(1, 2) + self.embeddings.position_embedding.weight
        for layer in self.encoder.layers:
            x = layer(x)
        return x


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * self.weight


def rotate(x, cosine, sine):
    a, b = x.chunk(2, -1)
    return x * cosine + torch.cat((-b, a), -1) * sine


class QwenLayer(nn.Module):
    def __init__(self, width, heads, key_heads, inner):
        super().__init__()
        self.heads, self.key_heads, d = heads, key_heads, width // heads
        self.self_attn, self.mlp = nn.Module(), nn.Module()
        a, m = self.self_attn, self.mlp
        a.q_proj, a.k_proj, a.v_proj = nn.Linear(width, width), nn.Linear(width, key_heads * d), nn.Linear(width, key_heads * d)
        a.o_proj = nn.Linear(width, width, bias=False)
        m.gate_proj, m.up_proj = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        m.down_proj = nn.Linear(inner, width, bias=False)
        self.input_layernorm, self.post_attention_layernorm = RMSNorm(width), RMSNorm(width)

    def forward(self, x, cosine, sine, bias):
        a, m, (b, t, c) = self.self_attn, self.mlp, x.shape
        h = self.input_layernorm(x)
        q = rotate(a.q_proj(h).view(b, t, self.heads, -1).transpose(1, 2), cosine, sine)
        k = rotate(a.k_proj(h).view(b, t, self.key_heads, -1).transpose(1, 2), cosine, sine)
        v = a.v_proj(h).view(b, t, self.key_heads, -1).transpose(1, 2)
        k, v = (y.repeat_interleave(self.heads // self.key_heads, 1) for y in (k, v))
        scores = q.to(v.dtype) * (c // self.heads) ** -0.5 @ k.to(v.dtype).transpose(-1, -2) + bias.to(v.dtype)
        x = x + a.o_proj((torch.softmax(scores, -1).to(v.dtype) @ v).transpose(1, 2).reshape(b, t, c))
        h = self.post_attention_layernorm(x)
        return x + m.down_proj(F.silu(m.gate_proj(h)) * m.up_proj(h))


class Llava(nn.Module):
    def __init__(self, words, vision=(192, 5, 3), width=128, layers=5, heads=4, key_heads=2, inner=384, side=64, patch=8):
        super().__init__()
        self.symbols, _ = vocabulary(words)
        self.ids = {symbol: i for i, symbol in enumerate(self.symbols)}
        rows = -(-len(self.symbols) // 8) * 8
        self.sizes = dict(vision=vision, width=width, layers=layers, heads=heads, key_heads=key_heads, inner=inner, side=side,
                          patch=patch, vocabulary=rows)
        self.vision_tower, self.multi_modal_projector, self.language_model = nn.Module(), nn.Module(), nn.Module()
        self.vision_tower.vision_model = SiglipTower(*vision, side, patch)
        self.multi_modal_projector.linear_1 = nn.Linear(vision[0], width)
        self.multi_modal_projector.linear_2 = nn.Linear(width, width)
        m = self.language_model.model = nn.Module()
        m.embed_tokens, m.norm = nn.Embedding(rows, width), RMSNorm(width)
        m.layers = nn.ModuleList(QwenLayer(width, heads, key_heads, inner) for _ in range(layers))
        self.language_model.lm_head = nn.Linear(width, rows, bias=False)
        nn.init.normal_(m.embed_tokens.weight, std=0.5)
        for name, p in self.named_parameters():
            if name.endswith(('o_proj.weight', 'down_proj.weight')):
                nn.init.zeros_(p)
        self.register_buffer('before', torch.tensor([self.ids[s] for s in BEFORE]), persistent=False)

    @torch.no_grad()
    def start_from_image_reward(self, tower):
        """The image tower of ImageReward, of the same sizes, without its class token; pictures there are CLIP-normalised."""
        from clip import MEAN, STD
        mine = self.vision_tower.vision_model
        mean, std = (torch.tensor(v, device=tower.pos_embed.device).view(1, 3, 1, 1) for v in (MEAN, STD))
        # CLIP sees ((x + 1) / 2 - mean) / std, SigLIP x itself.
        kernel = tower.patch_embed.proj.weight
        mine.embeddings.patch_embedding.weight.copy_(kernel / (2 * std))
        offset = ((0.5 - mean) / std * kernel).sum((1, 2, 3))
        mine.embeddings.patch_embedding.bias.copy_(tower.patch_embed.proj.bias + offset)
        mine.embeddings.position_embedding.weight.copy_(tower.pos_embed[0, 1:])
        for layer, block in zip(mine.encoder.layers, tower.blocks):
            a = layer.self_attn
            for name in ('weight', 'bias'):
                for target, part in zip((a.q_proj, a.k_proj, a.v_proj), getattr(block.attn.qkv, name).chunk(3)):
                    getattr(target, name).copy_(part)
            for target, source in ((a.out_proj, block.attn.proj), (layer.mlp.fc1, block.mlp.fc1), (layer.mlp.fc2, block.mlp.fc2),
                                   (layer.layer_norm1, block.norm1), (layer.layer_norm2, block.norm2)):
                target.load_state_dict(source.state_dict())

    def forward(self, images, questions):
        """Logits [B, M, V] of the first answer token; questions [B, M, L] begin behind the picture, -1 behind their end."""
        m, (b, count, length) = self.language_model.model, questions.shape
        rows = self.vision_tower.vision_model(images)
        p = self.multi_modal_projector
        rows = p.linear_2(F.gelu(p.linear_1(rows))).float()
        start = m.embed_tokens(self.before).expand(b, -1, -1)
        asked = m.embed_tokens(questions.clamp(min=0)).flatten(1, 2)
        x = torch.cat((start, rows, asked), 1)
        first = start.shape[1] + rows.shape[1]
        cosine, sine, bias = self.places(questions, first)
        for layer in m.layers:
            x = layer(x, cosine, sine, bias)
        last = (questions >= 0).sum(-1) - 1 + first + torch.arange(count, device=x.device) * length
        return self.language_model.lm_head(m.norm(x[torch.arange(b, device=x.device)[:, None], last]))

    def places(self, questions, first):
        """Rotary tables [T, D] and the mask [B, 1, T, T]: every question sees the picture and what is before in itself."""
        _, count, length = questions.shape
        device = questions.device
        at = torch.cat((torch.arange(first), first + torch.arange(length).repeat(count))).to(device)
        segment = torch.cat((torch.zeros(first, dtype=torch.long), 1 + torch.arange(count).repeat_interleave(length))).to(device)
        sees = (segment[None] == segment[:, None]) | (segment[None] == 0)
        sees = sees & (at[None] <= at[:, None])
        half = self.sizes['width'] // self.sizes['heads'] // 2
        angles = at[:, None].float() * ROPE_BASE ** (-torch.arange(half, device=device).float() / half)
        angles = torch.cat((angles, angles), -1)
        return angles.cos(), angles.sin(), (~sees).float()[None, None] * -1e4

    def answers(self, logits):
        """log p(yes) - log p(no) of logits [..., V], over all tokens that say so."""
        yes, no = ([self.ids[s] for s in ANSWER[name]] for name in ('yes', 'no'))
        return logits[..., yes].logsumexp(-1) - logits[..., no].logsumexp(-1)

    def questions(self, captions, words):
        """Word ids [B, M, 20] -> question ids [B, M, L], -1 behind."""
        rows = [[question_ids([words[i - 1] for i in caption if i], self.ids) for caption in some] for some in captions]
        longest = max(len(row) for some in rows for row in some)
        return torch.tensor([[row + [-1] * (longest - len(row)) for row in some] for some in rows])
