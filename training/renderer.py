"""Draws scene records in batches, pixel for pixel as src/toybox/world/renderer.ts (signed distances, coverage, painter's order).

A sprite is the coverage of one (shape, radius, sub-pixel place) on a patch of PATCH x PATCH pixels. Radii and places are
quarter pixels, so every sprite is made once and kept: rendering is table look-up, some thousand pictures a second.
"""
import json
from pathlib import Path

import numpy as np

SIDE, PATCH = 64, 40
HALF = PATCH // 2
UNIT = json.loads((Path(__file__).resolve().parent.parent / 'src/toybox/world/shapes.json').read_text())
SHAPES = ['circle', 'square', 'triangle', 'star', 'heart', 'diamond', 'cross', 'ring']
COLOURS = ['red', 'orange', 'yellow', 'green', 'cyan', 'blue', 'purple', 'pink']
TEXTURES = ['plain', 'striped', 'dotted']
COLOUR_RGB = np.array([(214, 39, 40), (247, 140, 30), (248, 214, 40), (44, 150, 60), (60, 200, 215), (40, 80, 210),
                       (135, 55, 175), (245, 125, 185)], np.float32)
BACKGROUND_RGB = np.array([(248, 248, 248), (214, 214, 214), (250, 240, 215), (214, 228, 242)], np.float32)
DARK, PERIOD, DOT = 0.35, 8.0, 1.7


def polygon_distance(vertices, p):
    v = np.asarray(vertices, np.float64)
    nearest, inside = np.full(p.shape[:-1], np.inf), np.zeros(p.shape[:-1], bool)
    for a, b in zip(np.roll(v, 1, axis=0), v):
        e, w = a - b, p - b
        along = np.clip((w @ e) / (e @ e), 0, 1)
        nearest = np.minimum(nearest, ((w - along[..., None] * e) ** 2).sum(-1))
        if a[1] != b[1]:
            inside ^= ((a[1] > p[..., 1]) != (b[1] > p[..., 1])) & (p[..., 0] < b[0] + w[..., 1] * e[0] / e[1])
    return np.sqrt(nearest) * np.where(inside, -1, 1)


def unit_distance(shape, p):
    """Signed distance of points [..., 2] to a unit shape, in radii."""
    unit, r = UNIT[SHAPES[shape]], np.hypot(p[..., 0], p[..., 1])
    if unit['form'] == 'disc':
        return r - unit['radius']
    if unit['form'] == 'ring':
        return np.abs(r - unit['radius']) - unit['halfWidth']
    return polygon_distance(unit['vertices'], p)


def patch_points(fx, fy):
    """Pixel centres of a patch, relative to an object at the sub-pixel place (fx, fy) of the patch's middle pixel."""
    at = np.arange(PATCH) - HALF + 0.5
    return np.stack(np.meshgrid(at - fx, at - fy), -1)


def make_darkness(margin):
    """[texture, SIDE + 2 margin, SIDE + 2 margin]: how much of the dark shade shows, still on the picture."""
    at = np.arange(-margin, SIDE + margin) + 0.5
    x, y = np.meshgrid(np.mod(at, PERIOD), np.mod(at, PERIOD))
    dots = [np.hypot(x - c, y - c) for c in (PERIOD / 4, PERIOD * 3 / 4)]
    striped = np.clip(0.5 + PERIOD / 4 - np.abs(y - PERIOD / 2), 0, 1)
    return np.stack((np.zeros_like(x), striped, np.clip(0.5 + DOT - np.minimum(*dots), 0, 1))).astype(np.float32)


class Renderer:
    """Call it with records [B, 42] (bytes as in scenes.bin): pictures [B, 64, 64, 3], float32, 0..255."""

    def __init__(self):
        self.darkness = make_darkness(PATCH)
        self.sprites = np.zeros((8 * 64 * 16, PATCH, PATCH), np.float16)
        self.made = np.zeros(8 * 64 * 16, bool)

    def make(self, keys):
        for key in np.unique(keys[~self.made[keys]]):
            place, radius = key % 16, key // 16 % 64 / 4
            d = radius * unit_distance(key // 1024, patch_points(place % 4 / 4, place // 4 / 4) / radius)
            self.sprites[key], self.made[key] = np.clip(0.5 - d, 0, 1), True

    def __call__(self, records):
        records = np.asarray(records).astype(np.int64)
        count, background = records[:, 0] & 15, records[:, 0] >> 4
        margin = PATCH
        canvas = np.empty((len(records), SIDE + 2 * margin, SIDE + 2 * margin, 3), np.float32)
        canvas[:] = BACKGROUND_RGB[background][:, None, None]
        span = np.arange(PATCH) - HALF + margin
        for k in range(5):
            b = np.nonzero(count > k)[0]
            if not len(b):
                break
            head, size, x, y = records[b, 2 + 4 * k:6 + 4 * k].T
            place = (y % 4) * 4 + x % 4
            key = ((head >> 4) * 64 + (size & 63)) * 16 + place
            self.make(key)
            cover = self.sprites[key].astype(np.float32)[..., None]
            rows, columns = (y // 4)[:, None, None] + span[:, None], (x // 4)[:, None, None] + span
            shade = 1 - (1 - DARK) * self.darkness[(size >> 6)[:, None, None], rows, columns]
            paint = COLOUR_RGB[head & 15][:, None, None] * shade[..., None]
            at = b[:, None, None], rows, columns
            under = canvas[at]
            canvas[at] = under + cover * (paint - under)
        return canvas[:, margin:-margin, margin:-margin]
