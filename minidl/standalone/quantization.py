"""Weights as whole numbers of 8 bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minidl.standalone.program import Program, Step

LARGEST = 127


def quantized(program: Program) -> Program:
    r"""The program with int8 weights in its dense layers and convolutions.

    Each output channel has a scale of its own, $s_f = \max |W_f| / 127$, and
    $Q_f = \mathrm{round}(W_f / s_f)$; 0 stays 0 (symmetric). Biases stay float32.
    """
    return replace(program, steps=[_quantized(step) for step in program.steps])


def _quantized(step: Step) -> Step:
    if step.function not in ("dense", "conv1d", "conv2d"):
        return step
    weight = step.arrays["weight"]
    scale = np.abs(weight).max(axis=tuple(range(weight.ndim - 1))) / np.float32(LARGEST)
    scale[scale == 0] = 1.0  # a channel of zeros
    whole = np.clip(np.rint(weight / scale), -LARGEST, LARGEST).astype(np.int8)
    arrays = {"weight": whole, "bias": step.arrays["bias"], "scale": scale}
    return replace(step, function=f"{step.function}_int8", arrays=arrays)
