"""PyTorch with images in its other memory order, which its documentation recommends on CPUs."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.contestants import torch_eager
from benchmarks.contestants.task import Task


class Training(torch_eager.Training):
    """As in eager mode, with `memory_format=torch.channels_last`."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.model = self.model.to(memory_format=torch.channels_last)

    def rows(self, x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(x)

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        # With one channel both orders look alike to PyTorch, but for the strides that permute sets.
        super().step(x.permute(0, 3, 1, 2), y)
