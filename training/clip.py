"""OpenAI's CLIP in miniature under the names of Hugging Face's CLIPModel: QuickGELU, pre-norm, head width 64.

Pictures are CLIP-normalised [B, 3, S, S]; texts are ids [B, T] that begin with bos and end with eos (the largest id).
"""
import torch
import torch.nn.functional as F
from torch import nn

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x, mask):
        b, t, c = x.shape
        q, k, v = (f(x).view(b, t, c // 64, 64).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj))
        scores = (q * 0.125) @ k.transpose(-1, -2)
        if mask is not None:
            scores = scores + mask[:t, :t].to(scores.dtype)
        return self.out_proj((torch.softmax(scores, -1).to(v.dtype) @ v).transpose(1, 2).reshape(b, t, c))


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        h = self.fc1(x)
        return self.fc2(h * torch.sigmoid(1.702 * h))


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.self_attn, self.mlp = Attention(width), MLP(width)
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, mask=None):
        x = x + self.self_attn(self.layer_norm1(x), mask)
        return x + self.mlp(self.layer_norm2(x))


def tower(width, layers):
    encoder = nn.Module()
    encoder.layers = nn.ModuleList(Layer(width) for _ in range(layers))
    return encoder


class VisionTower(nn.Module):
    def __init__(self, width, layers, side, patch):
        super().__init__()
        self.embeddings = nn.Module()
        self.embeddings.class_embedding = nn.Parameter(torch.randn(width) * 0.1)
        self.embeddings.patch_embedding = nn.Conv2d(3, width, patch, patch, bias=False)
        self.embeddings.position_embedding = nn.Embedding((side // patch) ** 2 + 1, width)
        self.pre_layrnorm, self.encoder, self.post_layernorm = nn.LayerNorm(width), tower(width, layers), nn.LayerNorm(width)

    def forward(self, images):
        e = self.embeddings
        x = e.patch_embedding(images).flatten(2).transpose(1, 2)
        x = torch.cat((e.class_embedding.to(x.dtype).expand(len(x), 1, -1), x), 1) + e.position_embedding.weight
        x = self.pre_layrnorm(x)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.post_layernorm(x[:, 0])


class TextTower(nn.Module):
    def __init__(self, width, layers, vocabulary, length):
        super().__init__()
        self.embeddings = nn.Module()
        self.embeddings.token_embedding = nn.Embedding(vocabulary, width)
        self.embeddings.position_embedding = nn.Embedding(length, width)
        self.encoder, self.final_layer_norm = tower(width, layers), nn.LayerNorm(width)
        self.register_buffer('mask', torch.full((length, length), -1e4).triu(1), persistent=False)

    def forward(self, ids):
        x = self.embeddings.token_embedding(ids) + self.embeddings.position_embedding.weight[:ids.shape[1]]
        for layer in self.encoder.layers:
            x = layer(x, self.mask)
        return self.final_layer_norm(x)[torch.arange(len(ids), device=ids.device), ids.argmax(1)]


class CLIP(nn.Module):
    def __init__(self, vocabulary, length=24, embed=128, vision=(192, 7), text=(128, 5), side=64, patch=8):
        super().__init__()
        self.sizes = dict(vocabulary=vocabulary, length=length, embed=embed, vision=vision, text=text, side=side, patch=patch)
        self.logit_scale = nn.Parameter(torch.tensor(2.3))
        self.vision_model, self.text_model = VisionTower(*vision, side, patch), TextTower(*text, vocabulary, length)
        self.visual_projection = nn.Linear(vision[0], embed, bias=False)
        self.text_projection = nn.Linear(text[0], embed, bias=False)
        for name, p in self.named_parameters():
            if 'embedding.weight' in name and p.ndim == 2:
                nn.init.normal_(p, std=0.1)
            if name.endswith(('out_proj.weight', 'fc2.weight')):
                nn.init.zeros_(p)

    def image(self, images):
        return F.normalize(self.visual_projection(self.vision_model(images)).float(), dim=-1)

    def text(self, ids):
        return F.normalize(self.text_projection(self.text_model(ids)).float(), dim=-1)

    def config(self):
        """config.json of the Hugging Face layout."""
        s, eos = self.sizes, self.sizes['vocabulary'] - 1

        def side(width, layers, **more):
            return {'hidden_size': width, 'intermediate_size': 4 * width, 'projection_dim': s['embed'], 'num_hidden_layers': layers,
                    'num_attention_heads': width // 64, 'hidden_act': 'quick_gelu', 'layer_norm_eps': 1e-5, **more}
        return {'architectures': ['CLIPModel'], 'model_type': 'clip', 'projection_dim': s['embed'],
                'logit_scale_init_value': 2.3, 'torch_dtype': 'float16',
                'text_config': side(*s['text'], vocab_size=s['vocabulary'], max_position_embeddings=s['length'],
                                    bos_token_id=eos - 1, eos_token_id=eos, pad_token_id=eos),
                'vision_config': side(*s['vision'], num_channels=3, image_size=s['side'], patch_size=s['patch'])}


def normalise(images):
    """-1..1 -> what CLIP's preprocessing gives."""
    mean, std = (torch.tensor(v, device=images.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return ((images + 1) / 2 - mean) / std
