"""The training loop that all phases share: a time budget, learning rate schedule, EMA, log lines and checkpoints.

A phase is as long as its budget says (minutes of training, kept over restarts, so that the recipe fits the machine; or steps).
"""
import copy
import io
import json
import os
import time

import torch

from muon import Muon

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


def autocast(on=True):
    return torch.autocast(DEVICE, dtype=torch.bfloat16, enabled=on)


# Files of a checkpoint stay below what a lent machine takes and gives back.
CHUNK = 15 * 2 ** 20


def save(path, value):
    """A checkpoint in files of at most 15 MB: NAME.0, NAME.1, ..., and NAME itself, which lists them. NAME comes last and is
    renamed into place, so that a killed run leaves the former checkpoint whole."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    content, old = buffer.getbuffer(), parts_of(path)
    start = '0' if any(name.endswith('-1') for name in old) else '1'
    names = []
    for at in range(0, len(content), CHUNK):
        names.append(f'{path.name}.{at // CHUNK}-{start}')
        path.with_name(names[-1]).write_bytes(content[at:at + CHUNK])
    path.with_name(f'{path.name}.part').write_text(json.dumps(names))
    os.replace(f'{path}.part', path)
    for name in set(old) - set(names):
        path.with_name(name).unlink(missing_ok=True)


def parts_of(path):
    return json.loads(path.read_text()) if path.exists() and not is_whole(path) else []


def is_whole(path):
    """A checkpoint in one file, as earlier versions wrote it: a zip."""
    with open(path, 'rb') as file:
        return file.read(2) == b'PK'


def load(path):
    if is_whole(path):
        return torch.load(path, map_location=DEVICE)
    content = b''.join(path.with_name(name).read_bytes() for name in parts_of(path))
    return torch.load(io.BytesIO(content), map_location=DEVICE)


def load_averaged(model, out, phase, weights='ema'):
    """The model with the averaged weights of a phase (or, as `model`, with those of its last step), for use."""
    model = model.to(DEVICE).eval().requires_grad_(False)
    model.load_state_dict(load(out / f'{phase}.pt')[weights])
    return model


def split_parameters(model, plain=()):
    """(matrices for Muon, the rest for AdamW): embeddings, heads and whatever is named in `plain` are no Muon matrices."""
    matrices, others = [], []
    for name, p in model.named_parameters():
        if p.requires_grad:
            muon = p.ndim in (2, 4) and not any(word in name for word in plain)
            (matrices if muon else others).append(p)
    return matrices, others


class Phase:
    def __init__(self, name, out, minutes, model, lr, adam_lr, plain, decay_from=0.4, ema=0.999,
                 every=120, steps=None):
        self.name, self.out, self.budget, self.model, self.steps = name, out, minutes * 60, model, steps
        self.path, self.decay_from, self.ema_decay, self.every = out / f'{name}.pt', decay_from, ema, every
        self.optimiser = Muon(*split_parameters(model, plain), lr=lr, adam_lr=adam_lr)
        self.ema, self.used, self.step = copy.deepcopy(model).eval().requires_grad_(False), 0.0, 0
        if self.path.exists():
            state = load(self.path)
            model.load_state_dict(state['model'])
            self.ema.load_state_dict(state['ema'])
            self.optimiser.load_state_dict(state['optimiser'])
            self.used, self.step = state['used'], state['step']

    def progress(self):
        """The share that is done: of the steps where they are given, else of the minutes."""
        return self.step / self.steps if self.steps else self.used / self.budget

    def factor(self):
        """Warm-up over 50 steps, then flat, then down to zero in a straight line."""
        down = (1 - self.progress()) / (1 - self.decay_from)
        return max(0.0, min(1.0, (self.step + 1) / 50, down))

    def checkpoint(self):
        save(self.path, {'model': self.model.state_dict(), 'ema': self.ema.state_dict(), 'used': self.used,
                         'optimiser': self.optimiser.state_dict(), 'step': self.step})

    @torch.no_grad()
    def average(self):
        d = min(self.ema_decay, (self.step + 1) / (self.step + 10))
        averages = list(self.ema.parameters())
        torch._foreach_mul_(averages, d)
        torch._foreach_add_(averages, list(self.model.parameters()), alpha=1 - d)

    def run(self, loss_of_step, log_every=50):
        """loss_of_step(step) gives (loss, figures to log). Returns the averaged model."""
        sums, last_save = {}, time.time()
        self.model.train()
        while self.progress() < 1:
            start = time.time()
            self.optimiser.zero_grad()
            loss, figures = loss_of_step(self.step)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.optimiser.adam.param_groups[0]['params'], 1.0)
            self.optimiser.step(self.factor())
            self.average()
            self.step += 1
            self.used += time.time() - start
            for k, v in figures.items():
                total, count = sums.get(k, (0.0, 0))
                sums[k] = total + float(v), count + 1
            if self.step % log_every == 0:
                self.log({k: round(total / count, 5) for k, (total, count) in sums.items()})
                sums = {}
            if time.time() - last_save > self.every:
                self.checkpoint()
                last_save = time.time()
        self.checkpoint()
        return self.ema

    def log(self, figures):
        line = {'phase': self.name, 'step': self.step, 'minutes': round(self.used / 60, 2),
                'lr': round(self.factor(), 4), **figures}
        with open(self.out / 'losses.jsonl', 'a') as file:
            file.write(json.dumps(line) + '\n')
        print(json.dumps(line), flush=True)
