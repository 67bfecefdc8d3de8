"""Layers on sequences, as PyTorch's users build them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class SequenceLayer(nn.Module):
    """A layer that reads and writes its parameters in the form of `Task.start`."""

    def held(self) -> list[list[torch.Tensor]]:
        """The tensors of each part, in the order of `Task.start`; matrices are transposed there."""
        return []

    def load(self, start: Iterator[tuple[np.ndarray, ...]]) -> None:
        """Take initial values."""
        with torch.no_grad():
            for part in self.held():
                for tensor, value in zip(part, next(start), strict=True):
                    tensor.copy_(torch.from_numpy(value.T))

    def values(self) -> list[np.ndarray]:
        """All parameters."""
        return [tensor.detach().numpy().T for part in self.held() for tensor in part]


class LSTM(SequenceLayer):
    """The state after the last step."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.steps = nn.LSTM(inputs, units, batch_first=True)
        # Two biases are added in every gate: both would move, their sum twice as far as one.
        nn.init.zeros_(self.steps.bias_hh_l0).requires_grad_(False)

    def held(self) -> list[list[torch.Tensor]]:
        return [[self.steps.weight_ih_l0, self.steps.weight_hh_l0, self.steps.bias_ih_l0]]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.steps(x)[0][:, -1]


class GRU(SequenceLayer):
    """The state after the last step."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.steps = nn.GRU(inputs, units, batch_first=True)

    def held(self) -> list[list[torch.Tensor]]:
        return [list(self.steps.parameters())]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.steps(x)[0][:, -1]


class Attention(nn.Module):
    """Self-attention with one product for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        qkv = self.project(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind()
        # Also tried: scaled_dot_product_attention, MultiheadAttention and TransformerEncoderLayer,
        # 9.8, 10.4 and 11.0 ms a step where this took 7.7.
        weights = (q * q.shape[-1] ** -0.5 @ k.mT).softmax(dim=-1)
        return self.output((weights @ v).transpose(1, 2).flatten(2))


class Transformer(SequenceLayer):
    """A block with layer normalization first."""

    def __init__(self, inputs: int, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = Attention(width, heads)
        self.wide, self.narrow = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def held(self) -> list[list[torch.Tensor]]:
        parts = [self.norms[0], self.attention, self.norms[1], self.wide, self.narrow]
        return [list(part.parameters()) for part in parts]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norms[0](x))
        return x + self.narrow(functional.relu(self.wide(self.norms[1](x))))


class Mean(SequenceLayer):
    """The mean over the steps."""

    def __init__(self, inputs: int) -> None:
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=1)


SEQUENCE_LAYERS = {"lstm": LSTM, "gru": GRU, "transformer": Transformer, "mean": Mean}
