"""How an exported file is checked: by onnx's own checker, and by running it."""

import numpy as np
import onnx
import onnxruntime

import minidl as dl


def exported(model, path, **options):
    """The file as onnx has it, after its full check."""
    dl.export_onnx(model, path, **options)
    onnx.checker.check_model(path, full_check=True)
    return onnx.load(path)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(running, x):
    """The output of a file for a batch."""
    (y,) = running.run(None, {"input": x.astype(np.int64) if x.dtype.kind in "iu" else x})
    return y


def difference(mine, other):
    """The largest difference, relative to the largest number of `mine`."""
    assert mine.shape == other.shape
    assert mine.dtype == other.dtype
    return np.abs(mine - other).max() / np.abs(mine).max()
