"""Muon (momentum, then Newton-Schulz orthogonalisation) for weight matrices, AdamW for everything else.

Matrices of equal shape are orthogonalised in one batch. Convolutions count as matrices [out, in * 3 * 3].
"""
import torch


def orthogonalise(g, steps=5):
    """Newton-Schulz iteration of the quintic polynomial on [N, a, b]: all singular values come near 1."""
    x = g.bfloat16()
    x = x / (x.flatten(1).norm(dim=1).view(-1, 1, 1) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    for _ in range(steps):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x.mT if tall else x).float()


class Muon:
    def __init__(self, matrices, others, lr=0.01, adam_lr=1e-3, momentum=0.95, decay=0.0, betas=(0.9, 0.97)):
        self.matrices, self.lr, self.momentum, self.decay = list(matrices), lr, momentum, decay
        self.buffers = [torch.zeros_like(p) for p in self.matrices]
        self.adam_lr, self.adam = adam_lr, torch.optim.AdamW(list(others), adam_lr, betas, eps=1e-10, weight_decay=0.0)
        self.groups = {}
        for i, p in enumerate(self.matrices):
            self.groups.setdefault((p.shape[0], p[0].numel()), []).append(i)

    def zero_grad(self):
        for p in self.matrices:
            p.grad = None
        self.adam.zero_grad(set_to_none=True)

    def step(self, factor=1.0):
        """One update; factor scales both learning rates (the schedule)."""
        self.step_matrices(factor)
        self.step_others(factor)

    @torch.no_grad()
    def step_matrices(self, factor):
        for (rows, columns), members in self.groups.items():
            updates = []
            for i in members:
                g = self.matrices[i].grad
                self.buffers[i].lerp_(g, 1 - self.momentum)
                updates.append(g.lerp(self.buffers[i], self.momentum).reshape(rows, columns))
            scale = self.lr * factor * max(1, rows / columns) ** 0.5
            for i, u in zip(members, orthogonalise(torch.stack(updates))):
                p = self.matrices[i]
                p.mul_(1 - self.lr * factor * self.decay).add_(u.view_as(p), alpha=-scale)

    def step_others(self, factor):
        for group in self.adam.param_groups:
            group['lr'] = self.adam_lr * factor
        self.adam.step()

    def state_dict(self):
        return {'buffers': self.buffers, 'adam': self.adam.state_dict()}

    def load_state_dict(self, state):
        for mine, saved in zip(self.buffers, state['buffers']):
            mine.copy_(saved)
        self.adam.load_state_dict(state['adam'])
