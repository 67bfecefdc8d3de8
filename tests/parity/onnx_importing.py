"""How an imported model is compared with onnxruntime's run of the same file."""

import numpy as np
import onnx
from parity.onnx_running import session

import minidl as dl

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}
TYPES |= {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


def inputs_of(running, n, rng):
    """A batch as a file takes it; word indices are below 9."""
    (tensor,) = running.get_inputs()
    shape = (n, *tensor.shape[1:])
    dtype = TYPES[tensor.type]
    if np.dtype(dtype).kind == "i":
        return rng.integers(0, 9, shape).astype(dtype)
    return rng.normal(size=shape).astype(dtype)


def output_of(running, x):
    """The output that is numbers, not labels; scikit-learn's as an array."""
    (tensor,) = running.get_inputs()
    for y in running.run(None, {tensor.name: x}):
        if isinstance(y, list):
            return np.array([list(row.values()) for row in y], x.dtype)
        if y.dtype.kind == "f":
            return y
    raise ValueError("no output of numbers")


def channels_last(x):
    return np.moveaxis(x, 1, -1)


def compared(path, *, channels_first=False, n=3):
    """Import a file; return the model and its largest difference from onnxruntime, relative.

    The relation is to the largest number of the output.
    """
    onnx.checker.check_model(path)
    model, running = dl.import_onnx(path), session(path)
    x = inputs_of(running, n, np.random.default_rng(0))
    theirs = output_of(running, x)
    mine = model.predict(channels_last(x) if channels_first else x)
    if theirs.shape != mine.shape:
        theirs = channels_last(theirs)
    assert mine.shape == theirs.shape
    assert mine.dtype == model.dtype
    return model, np.abs(mine - theirs).max() / np.abs(theirs).max()


def can_train(model, x):
    """Whether a step of training moves every parameter."""
    y = (
        np.random.default_rng(1)
        .normal(size=(len(x), *model.output_shape_of(x)))
        .astype(model.dtype)
    )
    before = model.params.copy()
    dl.Trainer(model, dl.MeanSquaredError(), dl.Adam(1e-2)).fit(x, y, epochs=1, batch_size=len(x))
    return bool(np.isfinite(model.params).all()) and np.mean(before != model.params) > 0.5
