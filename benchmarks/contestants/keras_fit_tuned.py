"""Keras `fit` with the options that take most of its overhead away."""

from __future__ import annotations

from typing import ClassVar

from benchmarks.contestants import keras_fit


class Training(keras_fit.Training):
    """Many steps in one call of the compiled function."""

    # Milliseconds a step on 28 steps of 28 at batch 64, with steps_per_execution=256: LSTM(128)
    # 12.3, unrolled 12.0, compiled by XLA 15.3. Of CPU time: GRU(64) 11.1, unrolled 10.8, by XLA
    # 5.8. XLA refuses layers that look for cuDNN.
    recurrent: ClassVar[dict[str, dict[str, object]]] = {
        "lstm": {"unroll": True},
        "gru": {"use_cudnn": False},
    }

    def options(self) -> dict[str, object]:
        # Microseconds a step of 784-10-10 at batch 64, for steps_per_execution of 1, 16, 64, 256:
        # 1150, 776, 454, 415; with jit_compile=True 1304, 666, 541, 525. On 784-512-512-10 all are
        # alike but 1, which is slower.
        has_gru = any(kind == "gru" for kind, *_ in self.task.layers)
        return {"steps_per_execution": 256, "jit_compile": has_gru}
