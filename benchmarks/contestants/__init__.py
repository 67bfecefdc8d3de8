"""The programs that take part; nothing of them is imported here.

A contestant is a module of this folder with a class `Training`, a class `Inference`, or both.

    Training(task)
        in_order(rows, epochs)   train on the first rows, batch after batch, not shuffled
        round() -> int           train on shuffled rows; the number of steps, all finished
        parameters()             all arrays of `Task.start`, in that order and form
    Inference(task)
        call(x)                  outputs for rows in the program's own form, finished
        convert(x)               rows in that form
        probabilities(x)         class probabilities of NumPy rows as a NumPy array
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contestant:
    """A program, or one way of using it.

    Attributes:
        label: Its name in training, as readers see it.
        environment: Where it runs; empty for the interpreter of the runner, which has minidl.
        packages: Those whose versions matter to it.
        inference_label: Its name in inference, if that is another one.
        module: Its file in this folder, if that is not its name.
        cores: How many it may use, if not as many as the others.
    """

    label: str
    environment: str
    packages: tuple[str, ...]
    inference_label: str = ""
    module: str = ""
    cores: int | None = None


_NUMPY, _TORCH, _JAX = ("numpy",), ("torch",), ("jax", "jaxlib")
_KERAS, _SKLEARN = ("keras", "tensorflow-cpu"), ("scikit-learn", "numpy", "scipy")

CONTESTANTS = {
    "minidl": Contestant("minidl", "", _NUMPY, "minidl predict"),
    "minidl_one_thread": Contestant("minidl, one thread", "", _NUMPY, module="minidl", cores=1),
    "handwritten": Contestant("NumPy by hand", "", _NUMPY),
    "torch_eager": Contestant("PyTorch eager", "torch", _TORCH, "PyTorch inference_mode"),
    "torch_channels_last": Contestant("PyTorch eager, channels_last", "torch", _TORCH),
    "torch_compile": Contestant("torch.compile", "torch", _TORCH),
    "jax_jit": Contestant("JAX jit", "jax", _JAX),
    "jax_scan": Contestant("JAX jit, whole epoch in one scan", "jax", _JAX),
    "keras_fit": Contestant("Keras fit", "keras", _KERAS),
    "keras_fit_tuned": Contestant("Keras fit, tuned", "keras", _KERAS),
    "keras_train_on_batch": Contestant("Keras train_on_batch", "keras", _KERAS),
    "keras_call": Contestant("Keras call", "keras", _KERAS),
    "keras_predict": Contestant("Keras predict", "keras", _KERAS),
    "sklearn": Contestant("scikit-learn", "sklearn", _SKLEARN, "scikit-learn predict_proba"),
}
