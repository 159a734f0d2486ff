"""The steps between FLUX's matrix products, as autograd functions over kernels.c (two to three times faster than PyTorch's own on a CPU).

`fast(x)` says whether they are to be used: on a CPU, in bfloat16 autocast, with a C compiler at hand. Without one the plain code runs.
"""
import ctypes
import hashlib
import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
FLAGS = ['-O3', '-march=native', '-mprefer-vector-width=512', '-ffast-math', '-fopenmp', '-shared', '-fPIC']


@lru_cache(None)
def library():
    """The compiled kernels, or None without a compiler."""
    compiler = shutil.which('gcc') or shutil.which('clang')
    if compiler is None:
        return None
    source = HERE / 'kernels.c'
    path = HERE.parent / '.work' / f'kernels-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.so'
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        subprocess.run([compiler, *FLAGS, str(source), '-o', f'{path}.{os.getpid()}', '-lm'], check=True)
        os.replace(f'{path}.{os.getpid()}', path)
    return ctypes.CDLL(str(path))


def fast(x):
    return x.device.type == 'cpu' and torch.is_autocast_cpu_enabled() and library() is not None


def call(name, *arguments):
    """Tensors go as pointers, whole numbers as long, others as float."""
    kinds = {int: ctypes.c_long, float: ctypes.c_float}
    for a in arguments:
        assert not isinstance(a, torch.Tensor) or a.is_contiguous()
    getattr(library(), name)(*(ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else kinds[type(a)](a) for a in arguments))


def brain(x):
    return x.to(torch.bfloat16).contiguous()


class Heads(torch.autograd.Function):
    """Segments (qkv [B, L, 3 C], query scale, key scale), text before image -> q, k, v [B, H, T, c] (see heads_forward)."""

    @staticmethod
    def forward(ctx, heads, cosines, sines, *segments):
        segments = [brain(x) if i % 3 == 0 else x.detach() for i, x in enumerate(segments)]
        parts = list(zip(segments[::3], segments[1::3], segments[2::3]))
        b, total, c = len(parts[0][0]), sum(x.shape[1] for x, _, _ in parts), parts[0][0].shape[2] // 3 // heads
        outs, inverses, at = [torch.empty(b, heads, total, c, dtype=torch.bfloat16) for _ in range(3)], [], 0
        for x, q, k in parts:
            inverses.append(torch.empty(b, x.shape[1], 2, heads))
            call('heads_forward', x, q, k, cosines, sines, c ** -0.5, *outs, inverses[-1], b, x.shape[1], heads, c, total, at)
            at += x.shape[1]
        ctx.sizes = b, heads, c, total
        ctx.save_for_backward(cosines, sines, *segments, *inverses)
        return tuple(outs)

    @staticmethod
    def backward(ctx, *grads):
        b, heads, c, total = ctx.sizes
        cosines, sines, *saved = ctx.saved_tensors
        count, grads, at, results = len(saved) // 4, [brain(g) for g in grads], 0, []
        for i in range(count):
            x, q, k = saved[3 * i:3 * i + 3]
            gx, scales = torch.empty_like(x), torch.empty(b, 2, c)
            call('heads_backward', x, q, k, cosines, sines, c ** -0.5, *grads, saved[3 * count + i], gx, scales, b, x.shape[1], heads, c, total, at)
            at += x.shape[1]
            results += [gx, *scales.sum(0).unbind(0)]
        return None, None, None, *results


class Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x = brain(x)
        out = torch.empty_like(x)
        call('softmax_forward', x, out, x.numel() // x.shape[-1], x.shape[-1])
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, grad):
        out, = ctx.saved_tensors
        gx = torch.empty_like(out)
        call('softmax_backward', out, brain(grad), gx, out.numel() // out.shape[-1], out.shape[-1])
        return gx


class Gelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x = brain(x)
        out = torch.empty_like(x)
        call('gelu_forward', x, out, x.numel())
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        gx = torch.empty_like(x)
        call('gelu_backward', x, brain(grad), gx, x.numel())
        return gx


class Modulated(torch.autograd.Function):
    """LayerNorm without weights, times 1 + scale, plus shift: x [B, L, C], shift and scale [B, 1, C]."""

    @staticmethod
    def forward(ctx, x, shift, scale):
        x, shift, scale = x.contiguous(), shift.contiguous(), scale.contiguous()
        out, figures = torch.empty(x.shape, dtype=torch.bfloat16), torch.empty(*x.shape[:2], 2)
        call('modulated_forward', x, shift, scale, out, figures, *x.shape)
        ctx.save_for_backward(x, scale, figures)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, scale, figures = ctx.saved_tensors
        gx, gshift, gscale = torch.empty_like(x), torch.empty_like(scale), torch.empty_like(scale)
        call('modulated_backward', x, scale, figures, brain(grad), gx, gshift, gscale, *x.shape)
        return gx, gshift, gscale


class Gated(torch.autograd.Function):
    """x + gate * y: x [B, L, C], gate [B, 1, C], y [B, L, C] from a matrix product."""

    @staticmethod
    def forward(ctx, x, gate, y):
        x, gate, y = x.contiguous(), gate.contiguous(), brain(y)
        out = torch.empty_like(x)
        call('gated_forward', x, gate, y, out, *x.shape)
        ctx.save_for_backward(gate, y)
        return out

    @staticmethod
    def backward(ctx, grad):
        gate, y = ctx.saved_tensors
        grad = grad.contiguous()
        gy, ggate = torch.empty_like(y), torch.empty_like(gate)
        call('gated_backward', gate, y, grad, gy, ggate, *grad.shape)
        return grad, ggate, gy
