"""PyTorch with `torch.compile`."""

from __future__ import annotations

import torch

from benchmarks.contestants import torch_eager
from benchmarks.contestants.task import Task


class Training(torch_eager.Training):
    """Model and loss compiled together."""

    def __init__(self, task: Task) -> None:
        torch._dynamo.reset()
        super().__init__(task)
        # Also tried: dynamic=False, dynamic=True, max-autotune, the optimizer's step compiled too.
        # All within 10 % of this.
        self.value = torch.compile(self.value)


class Inference(torch_eager.Inference):
    """The compiled model with softmax in inference mode."""

    def __init__(self, task: Task) -> None:
        torch._dynamo.reset()
        super().__init__(task)
        self.model = torch.compile(self.model)
