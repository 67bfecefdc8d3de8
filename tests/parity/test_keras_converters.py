"""Keras's models as minidl's: outputs, a training step, masks, errors."""

import math
import os

import numpy as np
import pytest

import minidl as dl

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read at import: errors only
import keras
import tensorflow as tf
from keras import layers as kl

IMAGE, ODD, STEPS, WORDS = (8, 6, 3), (7, 9, 2), (6, 4), (6,)


@pytest.fixture(autouse=True, params=["float64"])
def dtype(request):
    before = keras.config.floatx()
    set_dtype(request.param)
    yield request.param
    set_dtype(before)


def set_dtype(name):
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)


def sequential(shape, *layers):
    return spread(keras.Sequential([keras.Input(shape), *layers]))


def spread(model):
    """The model with all arrays off their start, so that a mix-up shows."""
    rng = np.random.default_rng(5)
    for variable in model.weights:
        if "seed" not in variable.path:
            shape = variable.shape
            if "variance" in variable.name:
                variable.assign(rng.uniform(0.5, 2.0, shape))
            else:
                variable.assign(rng.normal(size=shape) / math.sqrt(math.prod(shape[:-1])))
    return model


def inputs(shape, n=4):
    rng = np.random.default_rng(0)
    return rng.integers(0, 7, (n, *shape)) if shape == WORDS else rng.normal(size=(n, *shape))


def difference(mine, theirs):
    """The largest difference, relative to the largest element."""
    assert mine.shape == theirs.shape
    return np.abs(mine - theirs).max(initial=0) / max(np.abs(theirs).max(initial=0), 1e-300)


def outputs_differ(theirs, model, x):
    return difference(model(x), np.asarray(theirs(x, training=False)))


def step_differs(theirs, model, x):
    """How far parameters and state are apart after one step of SGD on both sides."""
    target = np.random.default_rng(1).normal(size=theirs(x).shape)
    _, gradient = dl.Objective(model, dl.MeanSquaredError()).value_and_grad(x, target)
    dl.SGD(0.1).update(model.params, gradient, trainable=model.trainable_mask)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((theirs(x, training=True) - target) ** 2) + sum(theirs.losses)
    values = [variable.value for variable in theirs.trainable_variables]
    for value, its in zip(values, tape.gradient(loss, values), strict=True):
        value.assign_sub(0.1 * tf.convert_to_tensor(its))
    stepped = dl.from_keras(theirs)
    return max(difference(model.params, stepped.params), difference(model.state, stepped.state))


# Numbers of options are such that float32 has exactly: some Keras rounds to it, even in float64.
L2, L1 = keras.regularizers.L2, keras.regularizers.L1
LAYERS = {
    "dense": (lambda: [kl.Dense(3)], (5,)),
    "dense without bias": (lambda: [kl.Dense(3, use_bias=False)], (5,)),
    "dense on steps": (lambda: [kl.Dense(3, "tanh")], STEPS),
    "dense, time distributed": (lambda: [kl.TimeDistributed(kl.Dense(3, "relu"))], STEPS),
    "penalties": (
        lambda: [
            *(kl.Dense(3, kernel_regularizer=L2(0.25)), kl.Dense(3, kernel_regularizer=L1(0.125))),
            kl.Dense(2, kernel_regularizer=keras.regularizers.L1L2(0.125, 0.25)),
        ],
        (5,),
    ),
    "conv": (lambda: [kl.Conv2D(4, 3, activation="relu")], IMAGE),
    "conv, same": (lambda: [kl.Conv2D(4, (3, 2), padding="same")], IMAGE),
    "conv, same, stride": (lambda: [kl.Conv2D(4, (2, 3), (2, 3), padding="same")], ODD),
    "conv, dilation, groups": (
        lambda: [kl.Conv2D(4, 2, dilation_rate=(2, 1), groups=2, use_bias=False)],
        ODD,
    ),
    "conv, depthwise": (
        lambda: [kl.DepthwiseConv2D((3, 2), depth_multiplier=2, depthwise_regularizer=L2(0.125))],
        IMAGE,
    ),
    "conv of steps": (lambda: [kl.Conv1D(3, 2, strides=2, padding="same")], STEPS),
    "conv of steps, causal": (lambda: [kl.Conv1D(3, 2, dilation_rate=2, padding="causal")], STEPS),
    "transposed conv": (lambda: [kl.Conv2DTranspose(2, 3)], IMAGE),
    "transposed conv, stride": (lambda: [kl.Conv2DTranspose(2, (2, 3), 2)], IMAGE),
    "transposed conv, same": (
        lambda: [kl.Conv2DTranspose(2, (4, 3), (2, 1), padding="same", use_bias=False)],
        ODD,
    ),
    "max pool": (lambda: [kl.MaxPooling2D()], ODD),
    "max pool, same": (lambda: [kl.MaxPooling2D((3, 2), 2, padding="same")], ODD),
    "max pool of steps": (lambda: [kl.MaxPooling1D(3, 2, padding="same")], STEPS),
    "average pool": (lambda: [kl.AveragePooling2D((2, 3), 1)], ODD),
    "average pool, same": (lambda: [kl.AveragePooling2D(3, 2, padding="same")], ODD),
    "global average": (lambda: [kl.GlobalAveragePooling2D()], IMAGE),
    "global average of steps": (lambda: [kl.GlobalAveragePooling1D()], STEPS),
    "global maximum": (lambda: [kl.GlobalMaxPooling2D()], IMAGE),
    "up sampling": (lambda: [kl.UpSampling2D((2, 3))], IMAGE),
    "batch norm": (lambda: [kl.BatchNormalization(momentum=0.7, epsilon=0.1)], (5,)),
    "batch norm of images": (lambda: [kl.BatchNormalization()], IMAGE),
    "batch norm without scale": (lambda: [kl.BatchNormalization(scale=False)], IMAGE),
    "layer norm": (lambda: [kl.LayerNormalization()], (5,)),
    "layer norm without shift": (lambda: [kl.LayerNormalization(center=False)], STEPS),
    "rms norm": (lambda: [kl.RMSNormalization()], (5,)),
    "group norm": (lambda: [kl.GroupNormalization(2)], STEPS),
    "group norm of each channel": (lambda: [kl.GroupNormalization(-1)], IMAGE),
    "dropouts": (lambda: [kl.Dropout(0.2), kl.GaussianNoise(0.3)], (5,)),
    "dropout of channels": (lambda: [kl.SpatialDropout2D(0.2)], IMAGE),
    "relu": (lambda: [kl.ReLU(), kl.ReLU(negative_slope=0.2)], (5,)),
    "leaky relu, elu": (lambda: [kl.LeakyReLU(0.25), kl.ELU(0.75)], (5,)),
    "prelu": (lambda: [kl.PReLU()], (5,)),
    "prelu of images": (lambda: [kl.PReLU(shared_axes=(1, 2))], IMAGE),
    "softmax": (lambda: [kl.Softmax()], STEPS),
    "flatten": (lambda: [kl.Flatten(), kl.Dense(2)], IMAGE),
    "reshape": (lambda: [kl.Reshape((4, -1)), kl.Dense(2)], IMAGE),
    "rescaling": (lambda: [kl.Rescaling(1 / 256, offset=-0.5)], IMAGE),
    "normalization by numbers": (lambda: [kl.Normalization(mean=3.0, variance=4.0)], (5,)),
    "normalization by features": (
        lambda: [kl.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 0.0])],
        IMAGE,
    ),
    "simple rnn": (lambda: [kl.SimpleRNN(3)], STEPS),
    "lstm": (lambda: [kl.LSTM(3, return_sequences=True), kl.LSTM(2)], STEPS),
    "lstm with penalties": (
        lambda: [kl.LSTM(3, kernel_regularizer=L2(0.125), recurrent_regularizer=L2(0.125))],
        STEPS,
    ),
    "lstm without bias": (lambda: [kl.LSTM(3, use_bias=False)], STEPS),
    "gru": (lambda: [kl.GRU(3, return_sequences=True), kl.GRU(2)], STEPS),
    "gru without bias": (lambda: [kl.GRU(3, use_bias=False)], STEPS),
    "bidirectional": (lambda: [kl.Bidirectional(kl.LSTM(3))], STEPS),
    "bidirectional, of sequences": (
        lambda: [kl.Bidirectional(kl.GRU(3, return_sequences=True)), kl.Dense(2)],
        STEPS,
    ),
    "embedding": (lambda: [kl.Embedding(7, 3), kl.Flatten(), kl.Dense(2)], WORDS),
    "embedding with a penalty": (
        lambda: [kl.Embedding(7, 3, embeddings_regularizer=L2(0.125)), kl.Flatten()],
        WORDS,
    ),
    "mask": (lambda: [kl.Embedding(7, 3, mask_zero=True), kl.LSTM(2)], WORDS),
    "mask behind dense and dropout": (
        lambda: [
            *(kl.Embedding(7, 3, mask_zero=True), kl.Dense(4, "tanh"), kl.Dropout(0.0)),
            *(kl.Bidirectional(kl.GRU(2, return_sequences=True)), kl.GlobalAveragePooling1D()),
        ],
        WORDS,
    ),
    "mask without effect": (
        lambda: [kl.Embedding(7, 3, mask_zero=True), kl.Flatten(), kl.Dense(2)],
        WORDS,
    ),
    "mask of numbers": (lambda: [kl.Masking(), kl.LSTM(2)], STEPS),
    "lenet": (
        lambda: [
            *(kl.Conv2D(6, 5, padding="same", activation="tanh"), kl.AveragePooling2D(2)),
            *(kl.Conv2D(16, 5, activation="tanh"), kl.AveragePooling2D(2), kl.Flatten()),
            *(kl.Dense(84, "sigmoid"), kl.BatchNormalization(), kl.Dense(10, "softmax")),
        ],
        (28, 28, 1),
    ),
}
ACTIVATIONS = [
    *("linear", "relu", "sigmoid", "tanh", "softmax", "log_softmax", "elu", "selu", "gelu"),
    *("silu", "swish", "softplus", "leaky_relu"),
]
MORE_PARAMETERS = {  # minidl has some there that Keras's layer lacks
    *("batch norm without scale", "layer norm without shift", "lstm without bias"),
    "gru without bias",
}
RANDOM = {"dropouts", "dropout of channels"}


@pytest.mark.filterwarnings("ignore:Layer 'flatten.*does not support masking:UserWarning")
@pytest.mark.parametrize(
    ("name", "make", "shape"), [(n, *v) for n, v in LAYERS.items()], ids=LAYERS
)
def test_outputs_and_a_step(name, make, shape):
    theirs, x = sequential(shape, *make()), inputs(shape)
    if name == "mask of numbers":
        x[:2, 4:] = 0.0
    if not theirs.trainable_variables:
        theirs = sequential(
            shape, kl.Dense(shape[-1]) if len(shape) < 3 else kl.Conv2D(shape[-1], 1), *make()
        )
    model = dl.from_keras(theirs)
    assert model.dtype == np.float64
    assert outputs_differ(theirs, model, x) < 1e-12
    if name not in MORE_PARAMETERS | RANDOM:
        assert step_differs(theirs, model, x) < 1e-9
        assert outputs_differ(theirs, model, x) < 1e-9


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    theirs, x = sequential((5,), kl.Dense(4, name), kl.Activation(name)), inputs((5,))
    model = dl.from_keras(theirs)
    assert len(model.layers) == (1 if name == "linear" else 3)
    # TensorFlow's constants of these two are those of float32, whatever the dtype
    rounded = name in ("gelu", "leaky_relu")
    assert outputs_differ(theirs, model, x) < (1e-7 if rounded else 1e-12)
    assert step_differs(theirs, model, x) < (1e-7 if rounded else 1e-9)


def test_models_in_models():
    """A functional model that is a chain, of a Sequential and a functional one."""
    inner = keras.Sequential([keras.Input((5,)), kl.Dense(4, "relu"), kl.BatchNormalization()])
    middle = keras.Input((4,))
    other = keras.Model(middle, kl.Dense(3, "tanh")(kl.LayerNormalization()(middle)))
    start = keras.Input((8,))
    theirs = spread(keras.Model(start, kl.Dense(2)(other(inner(kl.Dense(5)(start))))))
    model, x = dl.from_keras(theirs), inputs((8,))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Dense", "Sequential", "Sequential", "Dense"]
    assert outputs_differ(theirs, model, x) < 1e-12
    assert step_differs(theirs, model, x) < 1e-9


def test_layers_that_are_not_trainable_stay_so():
    theirs = sequential((5,), kl.Dense(4), kl.BatchNormalization(), kl.Dense(3))
    theirs.layers[0].trainable = theirs.layers[1].trainable = False
    model, x = dl.from_keras(theirs), inputs((5,))
    assert [layer.trainable for layer in model.layers] == [False, False, True]
    assert step_differs(theirs, model, x) < 1e-9


def test_an_adapted_normalization():
    layer, x = kl.Normalization(), 3.0 + 2.0 * inputs((5,), n=50)
    layer.adapt(x)
    theirs = keras.Sequential([keras.Input((5,)), layer, kl.Dense(2)])
    assert outputs_differ(theirs, dl.from_keras(theirs), x) < 1e-6  # it measures in float32


@pytest.mark.parametrize("dtype", ["float32"], indirect=True)
@pytest.mark.parametrize("name", ["lenet", "mask", "gru", "normalization by numbers", "group norm"])
def test_float32(name, dtype):
    make, shape = LAYERS[name]
    theirs, x = sequential(shape, *make(), kl.Dense(2)), inputs(shape)
    model = dl.from_keras(theirs)
    assert model.dtype == np.float32
    assert outputs_differ(theirs, model, x if shape == WORDS else x.astype(dtype)) < 1e-6


def skip():
    start = keras.Input((4,))
    return keras.Model(start, kl.Add()([start, kl.Dense(4)(start)]))


def twice():
    start, layer = keras.Input((4,)), kl.Dense(4)
    return keras.Model(start, layer(layer(start)))


def function():
    start = keras.Input((4,))
    return keras.Model(start, keras.ops.relu(kl.Dense(4)(start)))


def two_outputs():
    start = keras.Input((4,))
    middle = kl.Dense(4)(start)
    return keras.Model(start, [middle, kl.Dense(2)(middle)])


def chain(shape, *layers):
    return lambda: keras.Sequential([keras.Input(shape), *(layer() for layer in layers)])


def with_lora():
    model = keras.Sequential([keras.Input((4,)), kl.Dense(3)])
    model.layers[0].enable_lora(2)
    return model


REFUSED = {
    "a branch": (skip, r"layer 'add.*' \(Add\) is no link of a chain"),
    "a shared layer": (twice, r"layer 'dense.*' \(Dense\) is no link of a chain"),
    "two outputs": (two_outputs, r"\(Dense\) is no link of a chain"),
    "unknown layer": (
        chain((4, 2), lambda: kl.Permute((2, 1), name="turn")),
        r"from_keras: layer 'turn' \(Permute\): it has no counterpart in minidl",
    ),
    "activation": (
        chain((4,), lambda: kl.Dense(2, "mish")),
        "activation 'mish' has no counterpart",
    ),
    "a function for an activation": (
        chain((4,), lambda: kl.Dense(2, lambda x: 2 * x)),
        "activation 'of your own' has no counterpart",
    ),
    "a function for a layer": (function, r"'relu.*' \(Relu\) is a function of keras.ops, not"),
    "a layer for an activation": (
        chain((4,), lambda: kl.Dense(2, kl.LeakyReLU())),
        "activation 'LeakyReLU' has no counterpart",
    ),
    "a limit": (chain((4,), lambda: kl.ReLU(6.0)), "max_value=6.0 has no counterpart in minidl"),
    "slopes of pixels": (chain((4, 2), kl.PReLU), "shared_axes must be all but the last"),
    "order of axes": (
        chain(IMAGE, lambda: kl.Conv2D(2, 3, data_format="channels_first")),
        "data_format='channels_first' has no counterpart in minidl, only 'channels_last'",
    ),
    "constraint": (
        chain((4,), lambda: kl.Dense(2, kernel_constraint="max_norm")),
        "kernel_constraint=.* has no counterpart in minidl, only None",
    ),
    "penalty of biases": (
        chain((4,), lambda: kl.Dense(2, bias_regularizer="l2")),
        "bias_regularizer=.* has no counterpart in minidl, only None",
    ),
    "another penalty": (
        chain(
            (4,), lambda: kl.Dense(2, kernel_regularizer=keras.regularizers.OrthogonalRegularizer())
        ),
        "kernel_regularizer OrthogonalRegularizer has no counterpart",
    ),
    "two penalties": (
        chain(STEPS, lambda: kl.GRU(2, kernel_regularizer="l2")),
        "kernel_regularizer and recurrent_regularizer differ, and minidl has one for both",
    ),
    "axis": (chain((4, 2), lambda: kl.BatchNormalization(axis=1)), "axis=1 is not the last one"),
    "dropout in time": (chain(STEPS, lambda: kl.LSTM(2, dropout=0.1)), "dropout=0.1 has no"),
    "reset before": (
        chain(STEPS, lambda: kl.GRU(2, reset_after=False)),
        "reset_after=False has no",
    ),
    "backwards": (chain(STEPS, lambda: kl.GRU(2, go_backwards=True)), "go_backwards=True has no"),
    "zeros": (
        chain(STEPS, lambda: kl.LSTM(2, return_sequences=True, zero_output_for_mask=True)),
        "zero_output_for_mask=True has no counterpart",
    ),
    "sum of both ways": (
        chain(STEPS, lambda: kl.Bidirectional(kl.LSTM(2), merge_mode="sum")),
        "merge_mode='sum' has no counterpart in minidl, only 'concat'",
    ),
    "two layers": (
        chain(
            STEPS, lambda: kl.Bidirectional(kl.LSTM(2), backward_layer=kl.GRU(2, go_backwards=True))
        ),
        r"its two layers, LSTM\(2\) and GRU\(2\), differ",
    ),
    "distributed": (
        chain((2, *IMAGE), lambda: kl.TimeDistributed(kl.Flatten())),
        "of Flatten it has no counterpart in minidl, only of Dense",
    ),
    "a negative scale": (chain((4,), lambda: kl.Rescaling(-1.0)), "are not a number above 0"),
    "mask for nobody, later": (
        chain(STEPS, lambda: kl.Rescaling(0.5), kl.Masking, kl.Flatten),
        "no layer takes the mask of Masking",
    ),
    "a layer of one's own": (
        chain((4,), type("ReLU", (kl.ReLU,), {"call": lambda self, x: 2 * x})),
        r"\(ReLU\): it has no counterpart in minidl",
    ),
    "more arrays": (with_lora, r"its arrays \['lora_kernel_a', 'lora_kernel_b'\] have no place"),
    "mask for nobody": (chain(STEPS, kl.Masking, kl.Flatten), "no layer takes the mask of Masking"),
    "mask at a convolution": (
        chain(
            *(STEPS, kl.Masking, lambda: kl.LSTM(4, return_sequences=True)),
            *(lambda: kl.Conv1D(4, 3, padding="same"), lambda: kl.LSTM(2)),
        ),
        "at LSTM.* steps that do not count, by the mask of Masking.*, are treated otherwise",
    ),
    "mask of both ways": (
        chain(STEPS, kl.Masking, lambda: kl.Bidirectional(kl.LSTM(4, return_sequences=True))),
        "at Bidirectional.* steps that do not count",
    ),
}


@pytest.mark.filterwarnings("ignore:Layer '.*does not support masking:UserWarning")
@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`:UserWarning")
@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_minidl_lacks_is_named(make, message):
    theirs = make()
    with pytest.raises(dl.ArgumentError, match=f"(?s){message}"):
        dl.from_keras(theirs)


class Subclass(keras.Model):
    """A model whose use of its layers is code."""

    def call(self, x):
        return x


def test_other_objects():
    with pytest.raises(dl.ArgumentTypeError, match=r"expected a keras\.Sequential or a functional"):
        dl.from_keras(Subclass())
    with pytest.raises(dl.ArgumentTypeError, match="functional model, got type"):
        dl.from_keras(keras.Sequential)
    with pytest.raises(dl.ArgumentTypeError, match="functional model, got Dense"):
        dl.from_keras(kl.Dense(3))
    with pytest.raises(dl.StateError, match="the model is not built"):
        dl.from_keras(keras.Sequential([kl.Dense(3)]))
    with pytest.raises(dl.ShapeError, match=r"layer 'all' \(Dense\): .* Add Flatten"):
        dl.from_keras(keras.Sequential([keras.Input(IMAGE), kl.Dense(3, name="all")]))
