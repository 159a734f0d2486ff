"""A phase that two processes of one thread each train together: on cores shared with others, threads that wait for each other at
every operation lose most of their time, processes that meet twice a step do not.

Parameters, momentum and gradients lie in shared memory. Every member computes the gradient of its part of the batch; then each
updates its share of the matrices from the mean, the first all other parameters too.
"""
import ctypes
import os
import signal
import time

import torch
import torch.multiprocessing as mp

from loop import Phase

PATIENCE = 900  # seconds that a member waits for the others


class Team(Phase):
    def run_together(self, loss_of_rank, members, log_every=50):
        """loss_of_rank(rank) gives the function loss_of_step(step) -> (loss, figures) of one member, made in its own process."""
        context = mp.get_context('fork')
        self.barrier, self.clock = context.Barrier(members), context.Array('d', 2)  # the factor of the learning rate; 1 to stop
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        for tensor in [*self.parameters, *self.optimiser.buffers]:
            tensor.data.share_memory_()
        self.gradients = [[torch.zeros_like(p).share_memory_() for p in self.parameters] for _ in range(members)]
        children = [context.Process(target=self.follow, args=(rank, loss_of_rank), daemon=True) for rank in range(1, members)]
        for child in children:
            child.start()
        self.lead(loss_of_rank(0), log_every)
        for child in children:
            child.join()
        return self.ema

    def share_matrices(self, rank):
        """Every member keeps the groups of equal shape, with its part of their matrices."""
        members, groups = len(self.gradients), {}
        for shape, indices in self.optimiser.groups.items():
            mine = indices[rank::members]
            if mine:
                groups[shape] = mine
        self.optimiser.groups = groups

    def gradient(self, rank, loss_of_step, step):
        self.optimiser.zero_grad()
        loss, figures = loss_of_step(step)
        loss.backward()
        for p, mine in zip(self.parameters, self.gradients[rank]):
            mine.copy_(p.grad)
        self.barrier.wait(PATIENCE)
        return figures

    def mean_gradient(self, mine):
        """Sets the gradient of the parameters that this member updates."""
        for i, p in enumerate(self.parameters):
            if id(p) in mine:
                p.grad = torch.stack([g[i] for g in self.gradients]).mean(0)

    def mine(self):
        return {id(self.optimiser.matrices[i]) for members in self.optimiser.groups.values() for i in members}

    def follow(self, rank, loss_of_rank):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # ends with its parent
        os.setsid()  # as fair a share of the machine as any process has
        self.share_matrices(rank)
        mine, loss_of_step, step = self.mine(), loss_of_rank(rank), self.step
        while True:
            self.barrier.wait(PATIENCE)
            if self.clock[1]:
                return
            self.gradient(rank, loss_of_step, step)
            self.mean_gradient(mine)
            self.optimiser.step_matrices(self.clock[0])
            self.barrier.wait(PATIENCE)
            step += 1

    def lead(self, loss_of_step, log_every):
        sums, last_save = {}, time.time()
        self.share_matrices(0)
        others = [p for group in self.optimiser.adam.param_groups for p in group['params']]
        mine = self.mine() | {id(p) for p in others}
        while self.progress() < 1:
            start, self.clock[0] = time.time(), self.factor()
            self.barrier.wait(PATIENCE)
            figures = self.gradient(0, loss_of_step, self.step)
            self.mean_gradient(mine)
            torch.nn.utils.clip_grad_norm_(others, 1.0)
            self.optimiser.step(self.factor())
            self.barrier.wait(PATIENCE)
            self.average()
            self.step += 1
            for k, v in figures.items():
                total, count = sums.get(k, (0.0, 0))
                sums[k] = total + float(v), count + 1
            self.used += time.time() - start
            if self.step % log_every == 0:
                self.log({k: round(total / count, 5) for k, (total, count) in sums.items()})
                sums = {}
            if time.time() - last_save > self.every:
                self.checkpoint()
                last_save = time.time()
        self.checkpoint()
        self.clock[1] = 1
        self.barrier.wait(PATIENCE)
