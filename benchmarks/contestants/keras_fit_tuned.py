"""Keras `fit` with the options that take most of its overhead away."""

from __future__ import annotations

from typing import ClassVar

from benchmarks.contestants import keras_fit
from benchmarks.contestants.keras_layers import RECURRENT


class Training(keras_fit.Training):
    """Many steps in one call of the compiled function."""

    # XLA refuses recurrent layers that look for cuDNN.
    recurrent: ClassVar[dict[str, object]] = {"use_cudnn": False}

    def options(self) -> dict[str, object]:
        # Microseconds a step of 784-10-10 at batch 64, for steps_per_execution of 1, 16, 64, 256:
        # 1150, 776, 454, 415; with jit_compile=True 1304, 666, 541, 525. On 784-512-512-10 all are
        # alike but 1, which is slower. Milliseconds of CPU time a step of LSTM(64) on 28 steps: 9.0
        # with 256, 7.8 if unrolled too, 6.3 with jit_compile=True; of GRU(64) 11.1, 10.8, 5.8.
        recurrent = any(kind in RECURRENT for kind, *_ in self.task.layers)
        return {"steps_per_execution": 256, "jit_compile": recurrent}
