"""Import of what minidl's own export writes: the same layers, and the same numbers."""

import re

import numpy as np
import pytest
from cases import CASES
from hypothesis import HealthCheck, given, settings
from parity import random_models

import minidl as dl

# What no layer of minidl computes from such nodes: masks, and positions of an open number of steps.
LACKING = (
    "(Equal|Range|Split) node|with a length that the file leaves open|joins the batch, or open"
)
MASKED = [name for name in CASES if name.startswith("padded") or name == "attention behind padding"]
OTHERWISE = {  # forms of which a file says less than the model did
    "parallel, added": "Residual(Residual(Dense(3), shortcut=Tanh()), shortcut=Dense(3))",
    "parallel of one": "Tanh()",
    "flatten vector": "Dropout(0.0)",
}
NOTHING = (dl.Dropout, dl.GaussianNoise, dl.SpatialDropout2D, dl.Masking)


def kinds(model):
    """The kinds of a model's layers, those in Sequentials one by one, without those that vanish."""
    if isinstance(model, dl.Sequential):
        return [kind for layer in model.layers for kind in kinds(layer)]
    return [] if isinstance(model, NOTHING) else [type(model)]


@pytest.mark.parametrize("name", [name for name in CASES if name not in MASKED])
def test_every_layer_in_every_form(name, tmp_path):
    case, path = CASES[name], tmp_path / "model.onnx"
    model = case.build(np.float32)
    dl.export_onnx(model, path)
    again = dl.import_onnx(path)
    x = case.inputs(3, np.float32)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    if name in OTHERWISE:
        assert repr(again) == f"Sequential([{OTHERWISE[name]}])"
    else:
        assert kinds(again) == kinds(model)


@pytest.mark.parametrize("name", MASKED)
def test_masks_are_refused(name, tmp_path):
    dl.export_onnx(CASES[name].build(np.float32), tmp_path / "model.onnx")
    with pytest.raises(dl.DataError, match=r"the Equal node .*: minidl has no layer for Equal"):
        dl.import_onnx(tmp_path / "model.onnx")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(model=random_models.models())
def test_random_networks(model, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "again.onnx"
    dl.export_onnx(model, path)
    try:
        again = dl.import_onnx(path)
    except dl.DataError as error:
        if not re.search(LACKING, str(error)):
            raise
        return
    x = random_models.batch(model, 3, np.random.default_rng(0))
    try:
        y = model.predict(x)
    except dl.ShapeError:  # a sequence shorter than a window
        return
    assert again.input_shape == model.input_shape
    assert np.abs(again.predict(x) - y).max() <= 1e-5 * max(np.abs(y).max(), 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_data_type(dtype, tmp_path):
    model = dl.Sequential([dl.Dense(3), dl.Tanh()]).build((2,), rng=0, dtype=dtype)
    dl.export_onnx(model, tmp_path / "model.onnx")
    assert dl.import_onnx(tmp_path / "model.onnx").dtype == dtype
