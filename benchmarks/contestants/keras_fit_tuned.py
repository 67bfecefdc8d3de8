"""Keras `fit` with the two options that take most of its overhead away."""

from __future__ import annotations

from typing import ClassVar

from benchmarks.contestants import keras_fit


class Training(keras_fit.Training):
    """Many steps in one call of the compiled function."""

    # Microseconds a step of 784-10-10 at batch 64, for steps_per_execution of 1, 16, 64, 256:
    # 1150, 776, 454, 415; with jit_compile=True 1304, 666, 541, 525. On 784-512-512-10 all are
    # alike but 1, which is slower.
    options: ClassVar[dict[str, object]] = {"steps_per_execution": 256, "jit_compile": False}
