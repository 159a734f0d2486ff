"""ImageReward in miniature under the official key names: BLIP's image tower and text encoder, and the linear head.

Pictures are CLIP-normalised [B, 3, S, S]; every picture meets M captions, ids [B, M, L] with [CLS] first and 0 behind.
"""
import torch
import torch.nn.functional as F
from torch import nn

from loop import autocast
from tokenizers_json import BERT_FIRST, BERT_SPECIALS

HIDDEN = (1024, 128, 64, 16)


def attend(q, k, v, heads, mask=None):
    """q [B, Q, C], k and v [B, T, C] -> [B, Q, C]; mask [B, T] is added to the scores."""
    b, t, c = q.shape
    q, k, v = (x.reshape(b, -1, heads, c // heads).transpose(1, 2) for x in (q, k, v))
    scores = (q * (c // heads) ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask[:, None, None].to(scores.dtype)
    return (torch.softmax(scores, -1).to(v.dtype) @ v).transpose(1, 2).reshape(b, t, c)


class VisionAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        return self.proj(attend(*self.qkv(x).chunk(3, -1), self.heads))


class VisionMLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = VisionAttention(width, heads), VisionMLP(width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """timm's ViT: [B, 3, S, S] -> the states of all tokens [B, 1 + (S / P)^2, C]."""

    def __init__(self, width, layers, heads, side, patch):
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, (side // patch) ** 2 + 1, width) * 0.02)
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(3, width, patch, patch)
        self.blocks, self.norm = nn.ModuleList(Block(width, heads) for _ in range(layers)), nn.LayerNorm(width, eps=1e-6)

    def forward(self, images):
        x = self.patch_embed.proj(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.to(x.dtype).expand(len(x), -1, -1), x), 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Close(nn.Module):
    """BERT's way out of a branch: projected, added to the residual, normalised."""

    def __init__(self, inner, width):
        super().__init__()
        self.dense, self.LayerNorm = nn.Linear(inner, width), nn.LayerNorm(width, eps=1e-12)

    def forward(self, branch, residual):
        return self.LayerNorm(self.dense(branch) + residual)


class TextAttention(nn.Module):
    def __init__(self, width, heads, source):
        super().__init__()
        self.heads, self.self, self.output = heads, nn.Module(), Close(width, width)
        self.self.query = nn.Linear(width, width)
        self.self.key, self.self.value = nn.Linear(source, width), nn.Linear(source, width)

    def forward(self, x, source, mask=None):
        s = self.self
        return self.output(attend(s.query(x), s.key(source), s.value(source), self.heads, mask), x)


class TextLayer(nn.Module):
    def __init__(self, width, heads, hidden, source):
        super().__init__()
        self.attention, self.crossattention = TextAttention(width, heads, width), TextAttention(width, heads, source)
        self.intermediate, self.output = nn.Module(), Close(hidden, width)
        self.intermediate.dense = nn.Linear(width, hidden)

    def forward(self, x, mask, image, first):
        """x [B * M, L, C]; the M captions of a picture stand side by side when they look at it. `first`: the first token only."""
        x = self.attention(x[:, :1] if first else x, x, mask)
        x = self.crossattention(x.reshape(len(image), -1, x.shape[-1]), image).view_as(x)
        return self.output(F.gelu(self.intermediate.dense(x)), x)


class TextEncoder(nn.Module):
    """BLIP's BERT with cross-attention: ids [B, M, L] and image states [B, T, C] -> the first tokens' last states
    [B * M, C], or all of them [B * M, L, C]."""

    def __init__(self, width, layers, heads, hidden, vocabulary, length, source):
        super().__init__()
        e = self.embeddings = nn.Module()
        e.word_embeddings, e.position_embeddings = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        e.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        e.register_buffer('position_ids', torch.arange(length)[None])
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(TextLayer(width, heads, hidden, source) for _ in range(layers))

    def forward(self, ids, image, attended=None, whole=False):
        e, ids = self.embeddings, ids.flatten(0, 1)
        attended = ids != 0 if attended is None else attended.flatten(0, 1) != 0
        x = e.LayerNorm(e.word_embeddings(ids) + e.position_embeddings.weight[:ids.shape[1]])
        mask = (~attended).float() * -10000
        for i, layer in enumerate(self.encoder.layer):
            x = layer(x, mask, image, first=not whole and i == len(self.encoder.layer) - 1)
        return x if whole else x[:, 0]


class LinearHead(nn.Module):
    """Five linear layers with nothing between them, under the official numbers: [N, width] -> [N]."""

    def __init__(self, width):
        super().__init__()
        sizes = (width, *HIDDEN, 1)
        self.layers = nn.ModuleDict({n: nn.Linear(a, b) for n, a, b in zip(('0', '2', '4', '6', '7'), sizes, sizes[1:])})
        for layer in self.layers.values():
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers.values():
            x = layer(x)
        return x[:, 0]


class ImageReward(nn.Module):
    def __init__(self, vocabulary, length=24, vision=(192, 5, 3), text=(128, 6, 4, 512), side=64, patch=8):
        super().__init__()
        self.sizes = dict(vocabulary=vocabulary, length=length, vision=vision, text=text, side=side, patch=patch)
        self.blip, self.mlp = nn.Module(), LinearHead(text[0])
        self.blip.visual_encoder = VisionTransformer(*vision, side, patch)
        self.blip.text_encoder = TextEncoder(*text, vocabulary, length, vision[0])
        for name, p in self.blip.named_parameters():
            if 'embeddings.weight' in name:
                nn.init.normal_(p, std=0.1)

    def forward(self, images, ids):
        """Raw rewards [B, M]; the head in full precision, since small differences count."""
        states = self.blip.text_encoder(ids, self.blip.visual_encoder(images))
        with autocast(False):
            return self.mlp(states.float()).view(ids.shape[:2])

    def med_config(self):
        (width, layers, heads, hidden), s = self.sizes['text'], self.sizes
        return {'architectures': ['BertModel'], 'attention_probs_dropout_prob': 0.0, 'hidden_act': 'gelu',
                'hidden_dropout_prob': 0.0, 'hidden_size': width, 'initializer_range': 0.02, 'intermediate_size': hidden,
                'layer_norm_eps': 1e-12, 'max_position_embeddings': s['length'], 'model_type': 'bert', 'pad_token_id': 0,
                'num_attention_heads': heads, 'num_hidden_layers': layers, 'type_vocab_size': 2, 'vocab_size': s['vocabulary'],
                'encoder_width': s['vision'][0], 'add_cross_attention': True}

    def config(self, mean, deviation):
        """config.json beside the weights: what the official code has as constants."""
        return {'image_size': self.sizes['side'], 'max_length': self.sizes['length'], 'reward_mean': mean, 'reward_std': deviation}


def for_words(words):
    """The toybox's ImageReward, untrained."""
    return ImageReward(BERT_FIRST + len(words))


def caption_ids(captions):
    """Word ids [..., 20] (0 behind) -> [CLS], words, [SEP], padding: int64 [..., longest + 2]."""
    words = torch.as_tensor(captions.astype('int64'))
    lengths = (words > 0).sum(-1, keepdim=True)
    ids = torch.zeros(*words.shape[:-1], words.shape[-1] + 2, dtype=torch.long)
    ids[..., 1:-1] = torch.where(words > 0, words + (BERT_FIRST - 1), 0)
    ids.scatter_(-1, lengths + 1, BERT_SPECIALS.index('[SEP]'))
    ids[..., 0] = BERT_SPECIALS.index('[CLS]')
    return ids[..., :int(lengths.max()) + 2]


@torch.no_grad()
def start_from_clip(tower, clip, images):
    """Fills the image tower from CLIP's of the same sizes. CLIP normalises its tokens before the first layer and timm does
    not: that norm becomes part of the patch matrix, with one deviation for all tokens, measured on `images`."""
    vision = clip.vision_model
    e, norm = vision.embeddings, vision.pre_layrnorm
    patches = e.patch_embedding(images).flatten(2).transpose(1, 2) + e.position_embedding.weight[1:]
    factor = norm.weight / patches.std(-1).mean()
    kernel, places = e.patch_embedding.weight, e.position_embedding.weight.clone()
    tower.patch_embed.proj.weight.copy_((kernel - kernel.mean(0)) * factor.view(-1, 1, 1, 1))
    tower.patch_embed.proj.bias.zero_()
    places[0] += e.class_embedding
    tower.pos_embed.copy_((places - places.mean(-1, keepdim=True)) * factor + norm.bias)
    tower.pos_embed[0, 0] = norm(places[0])  # the class token is the same for all pictures: its norm is exact
    tower.cls_token.zero_()
    tower.norm.load_state_dict(vision.post_layernorm.state_dict())
    for block, layer in zip(tower.blocks, vision.encoder.layers):
        a = layer.self_attn
        for name in ('weight', 'bias'):
            getattr(block.attn.qkv, name).copy_(torch.cat([getattr(p, name) for p in (a.q_proj, a.k_proj, a.v_proj)]))
        for mine, theirs in ((block.attn.proj, a.out_proj), (block.mlp.fc1, layer.mlp.fc1), (block.mlp.fc2, layer.mlp.fc2),
                             (block.norm1, layer.layer_norm1), (block.norm2, layer.layer_norm2)):
            mine.load_state_dict(theirs.state_dict())
