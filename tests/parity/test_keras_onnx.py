"""Import of what Keras writes as ONNX (`model.export`, by tf2onnx), against onnxruntime."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from keras import layers as kl
from parity.onnx_importing import can_train, compared, inputs_of
from parity.onnx_running import session

import minidl as dl


def chain(shape, *layers, dtype="float32"):
    return lambda: keras.Sequential([keras.Input(shape, dtype=dtype), *(make() for make in layers)])


def branches():
    x = keras.Input((8, 8, 3))
    y = kl.Conv2D(4, 3, padding="same", activation="relu")(x)
    y = kl.Add()([y, kl.Conv2D(4, 3, padding="same")(y)])
    y = kl.Concatenate()([y, kl.Activation("tanh")(y)])
    return keras.Model(x, kl.Dense(2, activation="softmax")(kl.GlobalAveragePooling2D()(y)))


def activations():
    names = ["elu", "selu", "silu", "softplus", "tanh", "sigmoid", "log_softmax"]
    return [lambda name=name: kl.Activation(name) for name in names]


CASES = {  # the model, and what it becomes where that is worth a look
    "perceptron": (
        chain(
            (7,),
            lambda: kl.Dense(5, "relu"),
            lambda: kl.Dropout(0.3),
            lambda: kl.Dense(3, "softmax"),
        ),
        "Dense(5), ReLU(), Dense(3), Softmax()",
    ),
    "activations": (
        chain((7,), lambda: kl.LeakyReLU(), lambda: kl.PReLU(), *activations()),
        "LeakyReLU(negative_slope=0.3), PReLU(), ELU(), SELU(), SiLU(), Softplus(), Tanh(), "
        "Sigmoid(), LogSoftmax()",
    ),
    "gelu by tanh": (
        chain((7,), lambda: kl.Activation(lambda x: keras.activations.gelu(x, approximate=True))),
        "GELU(approximate=True)",
    ),
    "steps": (
        chain((6, 7), lambda: kl.Dense(5, "relu"), kl.LayerNormalization, lambda: kl.Dense(3)),
        "Dense(5), ReLU(), LayerNorm(epsilon=0.001), Dense(3)",
    ),
    "normalized vectors": (
        chain((7,), lambda: kl.Dense(5), kl.LayerNormalization, kl.BatchNormalization),
        None,
    ),
    "images": (
        chain(
            (10, 10, 3),
            *(lambda: kl.Conv2D(4, 3, padding="same"), kl.BatchNormalization, kl.ReLU),
            *(kl.MaxPooling2D, lambda: kl.Conv2D(6, 3, use_bias=False)),
            lambda: kl.PReLU(shared_axes=[1, 2]),
            lambda: kl.AveragePooling2D(3, strides=2, padding="same"),
            *(kl.UpSampling2D, kl.Flatten, lambda: kl.Dense(4)),
        ),
        None,
    ),
    "groups": (
        chain(
            (9, 9, 3),
            *(lambda: kl.Conv2D(4, 3, strides=2, padding="same"), lambda: kl.DepthwiseConv2D(3)),
            *(lambda: kl.GroupNormalization(2), kl.GlobalMaxPooling2D, lambda: kl.Dense(4)),
        ),
        None,
    ),
    "decoder": (
        chain(
            (5, 5, 3),
            lambda: kl.Conv2DTranspose(4, 3, strides=2, padding="same", activation="sigmoid"),
            lambda: kl.Conv2D(2, 1),
        ),
        None,
    ),
    "sequences": (
        chain(
            (12, 3),
            *(lambda: kl.Conv1D(4, 3, padding="causal"), kl.ReLU, kl.MaxPooling1D),
            *(kl.GlobalAveragePooling1D, lambda: kl.Dense(2)),
        ),
        "Conv1D(4, 3, padding=((2, 0),)), ReLU(), MaxPool1D(stride=2), GlobalAveragePool1D(), "
        "Dense(2)",
    ),
    "branches": (branches, None),
    "lstm": (
        chain((6, 3), lambda: kl.LSTM(5, return_sequences=True), lambda: kl.LSTM(4)),
        "LSTM(5, return_sequences=True), LSTM(4)",
    ),
    "words": (
        chain((6,), lambda: kl.Embedding(9, 4), kl.Flatten, lambda: kl.Dense(2), dtype="int32"),
        "Embedding(9, 4), Flatten(), Dense(2)",
    ),
    "a vector as an image": (
        chain((12,), lambda: kl.Reshape((2, 2, 3)), lambda: kl.Conv2D(2, 2), kl.Flatten),
        None,
    ),
}


def exported(make, path):
    """A model with random values as a file."""
    keras.utils.set_random_seed(0)
    model, rng = make(), np.random.default_rng(0)
    model.set_weights(
        [
            np.abs(rng.normal(1, 0.3, each.shape)) + 0.1
            if "variance" in weight.name
            else rng.normal(0, 0.4, each.shape)
            for each, weight in zip(model.get_weights(), model.weights, strict=True)
        ]
    )
    model(np.zeros((1, *model.input_shape[1:]), model.inputs[0].dtype))  # or export refuses
    model.export(path, format="onnx", verbose=False)
    return model


@pytest.mark.filterwarnings("ignore")  # of tf2onnx and TensorFlow
@pytest.mark.parametrize("name", CASES)
def test_exported_by_keras(name, tmp_path):
    make, expected = CASES[name]
    path = tmp_path / "model.onnx"
    keras_model = exported(make, path)
    model, difference = compared(path)
    assert difference < 1e-5
    x = inputs_of(session(path), 5, np.random.default_rng(1))
    theirs = keras_model(x).numpy()
    np.testing.assert_allclose(model.predict(x), theirs, atol=2e-5 * np.abs(theirs).max())
    if expected is not None:
        assert ", ".join(map(repr, model.layers)) == expected
    if len(model.params):
        assert can_train(model, x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("layer", "operator"),
    [(lambda: kl.GRU(4), "Loop"), (lambda: kl.Activation("gelu"), "Erfc")],
    ids=["GRU", "GELU"],
)
def test_what_tf2onnx_cannot_write(layer, operator, tmp_path):
    path = tmp_path / "model.onnx"
    exported(chain((6, 3), layer), path)
    with pytest.raises(dl.DataError, match=f"the {operator} node .*: minidl has no layer"):
        dl.import_onnx(path)
