"""PyTorch as its tutorials write the loop, on tensors in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.contestants.task import LEARNING_RATE, Task
from benchmarks.contestants.torch_sequences import SEQUENCE_LAYERS, SequenceLayer
from benchmarks.networks import shapes


def network(task: Task) -> nn.Sequential:
    """The model with the initial values that all share."""
    forms = shapes(task.layers, task.x.shape[1:])
    parts: list[nn.Module] = []
    start = iter(task.start)
    image: tuple[int, ...] = ()  # of the last Flatten's input, where a Dense has yet to follow
    for (kind, *options), form in zip(task.layers, forms, strict=False):
        if kind == "relu":
            parts.append(nn.ReLU())
        elif kind == "pool":
            parts.append(nn.MaxPool2d(*options))
        elif kind == "flatten":
            parts.append(nn.Flatten())
            image = form
        elif kind in SEQUENCE_LAYERS:
            parts.append(SEQUENCE_LAYERS[kind](form[-1], *options))
            parts[-1].load(start)
        elif kind == "conv":
            filters, size, padding = options
            parts.append(nn.Conv2d(form[-1], filters, size, padding=padding))
            weight, bias = next(start)
            set_values(parts[-1], weight.transpose(3, 2, 0, 1), bias)
        else:
            parts.append(nn.Linear(form[-1], options[0]))
            weight, bias = next(start)
            if image:  # PyTorch flattens channels first
                weight = weight.reshape(*image, -1).transpose(2, 0, 1, 3).reshape(weight.shape)
                image = ()
            set_values(parts[-1], weight.T, bias)
    return nn.Sequential(*parts)


def set_values(part: Any, weight: np.ndarray, bias: np.ndarray) -> None:
    """Copy initial values into a layer."""
    with torch.no_grad():
        part.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
        part.bias.copy_(torch.from_numpy(bias))


class Training:
    """The loop of the tutorials, with the fastest of the ways that they show."""

    def __init__(self, task: Task) -> None:
        torch.set_num_threads(task.threads)
        self.task, self.model = task, network(task)
        self.x, self.y = self.rows(task.x), torch.from_numpy(task.y)
        loss, model = nn.CrossEntropyLoss(), self.model
        self.value: Callable[..., torch.Tensor] = lambda x, y: loss(model(x), y)
        # Also tried: SGD's foreach and default forms (2 to 4 % slower on small networks) and rows
        # by x[index] (5 to 10 % slower). zero_grad sets to None, the faster form, by default.
        self.optimizer = torch.optim.SGD(self.model.parameters(), LEARNING_RATE, fused=True)

    def rows(self, x: np.ndarray) -> torch.Tensor:
        """All rows as a tensor; images with their channels first."""
        rows = torch.from_numpy(x)
        if x.ndim == 4:  # a clone has the strides of this order; with one channel they are a choice
            return rows.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)
        return rows

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        self.value(x, y).backward()
        self.optimizer.step()

    def in_order(self, rows: int, epochs: int) -> None:
        for _ in range(epochs):
            x, y = self.x[:rows].split(self.task.batch_size), self.y[:rows]
            for xb, yb in zip(x, y.split(self.task.batch_size), strict=True):
                self.step(xb, yb)

    def round(self) -> int:
        for _ in range(self.task.loop_epochs):
            if self.task.full_batch:
                self.step(self.x, self.y)
                continue
            for index in torch.randperm(len(self.x)).split(self.task.batch_size):
                self.step(self.x.index_select(0, index), self.y.index_select(0, index))
        return self.task.loop_epochs * self.task.steps

    def parameters(self) -> list[np.ndarray]:
        found, forms = [], shapes(self.task.layers, self.task.x.shape[1:])
        image: tuple[int, ...] = ()
        for part, form in zip(self.model, forms, strict=False):
            if isinstance(part, nn.Flatten):
                image = form
            if isinstance(part, SequenceLayer):
                found += part.values()
            if not hasattr(part, "weight"):
                continue
            weight = part.weight.detach().numpy()
            if weight.ndim == 4:
                weight = weight.transpose(2, 3, 1, 0)
            else:
                weight = weight.T
                if image:
                    height, width, channels = image
                    channels_first = weight.reshape(channels, height, width, -1)
                    weight = channels_first.transpose(1, 2, 0, 3).reshape(weight.shape)
                    image = ()
            found += [weight, part.bias.detach().numpy()]
        return found


class Inference:
    """The model with softmax in inference mode, tensor in and tensor out."""

    def __init__(self, task: Task) -> None:
        torch.set_num_threads(task.threads)
        self.model = nn.Sequential(*network(task), nn.Softmax(dim=1)).eval()

    def convert(self, x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(x)

    def call(self, x: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return self.model(x)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        return self.call(self.convert(x)).numpy()
