"""The one table of layer cases: every layer in every form that has a path of its own.

A new layer gets a row here and with it the contract suite, the gradient checks, the checks inside
containers, and the comparison with its reference.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from references import activations, attention, convolution, normalization, pooling, recurrent
from scipy import special

import minidl as dl
from minidl.typing import Array, Shape


@dataclass(frozen=True)
class Case:
    """A layer in one form.

    Attributes:
        make: Makes the layer, unbuilt.
        input_shape: Shape of a sample.
        reference: The inference output, computed by other means from the built layer and x.
        kinks: Whether the function has kinks (inputs are kept away from 0).
        random: Whether training draws random numbers.
        draw: Makes n samples where normal numbers will not do, such as word indices.
    """

    make: Callable[[], dl.Layer]
    input_shape: Shape
    reference: Callable[[dl.Layer, Array], Array]
    kinks: bool = False
    random: bool = False
    draw: Callable[[np.random.Generator, int], Array] | None = None

    @property
    def integers(self) -> bool:
        return self.make().accepts_integers

    def inputs(self, n: int, dtype: type = np.float64, seed: int = 0) -> Array:
        rng = np.random.default_rng([seed, n])
        if self.draw is not None:
            x = self.draw(rng, n)
            return x if self.integers else x.astype(dtype)
        x = rng.normal(size=(n, *self.input_shape))
        if self.kinks:
            x += 0.01 * np.sign(x)
        return x.astype(dtype)

    def build(self, dtype: type = np.float64, rng: int = 0) -> dl.Layer:
        return self.make().build(self.input_shape, rng=rng, dtype=dtype)


def _dense(layer: dl.Layer, x: Array) -> Array:
    y = np.array(
        [
            [sum(row[i] * layer.weight[i, j] for i in range(len(row))) for j in range(layer.units)]
            for row in x
        ]
    )
    return y + layer.bias if layer.use_bias else y


def _chain(layer: dl.Layer, x: Array) -> Array:
    """784-10-10 in small, written out."""
    flat = x.reshape(len(x), math.prod(x.shape[1:]))
    first, second = layer.layers[1], layer.layers[4].layers[0]
    hidden = np.einsum("nd,dm->nm", flat, first.weight) + first.bias
    hidden[hidden < 0] = 0
    return special.softmax(np.einsum("nd,dm->nm", hidden, second.weight) + second.bias, axis=1)


CASES: dict[str, Case] = {
    "dense": Case(lambda: dl.Dense(3), (5,), _dense),
    "dense without bias": Case(lambda: dl.Dense(4, use_bias=False), (3,), _dense),
    "dense to one": Case(lambda: dl.Dense(1, bias_initializer=dl.Normal()), (1,), _dense),
    "dense with a penalty and a limit": Case(
        lambda: dl.Dense(3, weight_penalty=dl.L1L2(0.1, 0.2), weight_constraint=dl.MaxNorm(1)),
        (5,),
        _dense,
    ),
    "dense of ten": Case(lambda: dl.Dense(10, bias_initializer=dl.Normal()), (3,), _dense),
    "dense of sixteen": Case(lambda: dl.Dense(16), (3,), _dense),
    "dense of twenty": Case(lambda: dl.Dense(20), (3,), _dense),
    "dense on steps": Case(
        lambda: dl.Dense(3, bias_initializer=dl.Normal()),
        (4, 2),
        lambda layer, x: np.array([_dense(layer, sample) for sample in x]),
    ),
    "relu": Case(dl.ReLU, (6,), lambda _, x: np.where(x > 0, x, 0), kinks=True),
    "relu of many": Case(dl.ReLU, (4100,), lambda _, x: np.where(x > 0, x, 0), kinks=True),
    "relu on images": Case(dl.ReLU, (4, 3, 2), lambda _, x: np.where(x > 0, x, 0), kinks=True),
    "sigmoid": Case(dl.Sigmoid, (4,), lambda _, x: special.expit(x)),
    "tanh": Case(dl.Tanh, (2, 3), lambda _, x: 2 * special.expit(2 * x) - 1),
    "softmax": Case(dl.Softmax, (5,), lambda _, x: special.softmax(x, axis=-1)),
    "softmax of steps": Case(dl.Softmax, (2, 4), lambda _, x: special.softmax(x, axis=-1)),
    "softmax of many": Case(dl.Softmax, (33,), lambda _, x: special.softmax(x, axis=-1)),
    "softmax of many, in steps": Case(
        dl.Softmax, (2, 33), lambda _, x: special.softmax(x, axis=-1)
    ),
    "flatten": Case(dl.Flatten, (2, 3, 2), lambda _, x: np.array([list(s.flat) for s in x])),
    "flatten vector": Case(dl.Flatten, (4,), lambda _, x: x),
    "dropout": Case(lambda: dl.Dropout(0.4), (30,), lambda _, x: x, random=True),
    "dropout 0": Case(lambda: dl.Dropout(0.0), (3,), lambda _, x: x),
    "leaky relu": Case(dl.LeakyReLU, (6,), activations.leaky_relu(0.01), kinks=True),
    "leaky relu 0": Case(lambda: dl.LeakyReLU(0), (6,), activations.leaky_relu(0), kinks=True),
    "leaky relu on images": Case(
        lambda: dl.LeakyReLU(0.3), (4, 3, 2), activations.leaky_relu(0.3), kinks=True
    ),
    "elu": Case(dl.ELU, (6,), activations.elu(1)),
    "elu, alpha 1.5": Case(lambda: dl.ELU(1.5), (6,), activations.elu(1.5), kinks=True),
    "elu on images": Case(lambda: dl.ELU(0.5), (4, 3, 2), activations.elu(0.5), kinks=True),
    "selu": Case(dl.SELU, (6,), activations.selu, kinks=True),
    "selu on images": Case(dl.SELU, (4, 3, 2), activations.selu, kinks=True),
    "gelu": Case(dl.GELU, (6,), activations.gelu),
    "gelu on images": Case(dl.GELU, (4, 3, 2), activations.gelu),
    "gelu, tanh form": Case(lambda: dl.GELU(approximate=True), (6,), activations.gelu_tanh),
    "gelu, tanh form, on images": Case(
        lambda: dl.GELU(approximate=True), (4, 3, 2), activations.gelu_tanh
    ),
    "silu": Case(dl.SiLU, (6,), activations.silu),
    "silu on images": Case(dl.SiLU, (4, 3, 2), activations.silu),
    "softplus": Case(dl.Softplus, (6,), lambda _, x: np.logaddexp(x, 0)),
    "softplus on images": Case(dl.Softplus, (4, 3, 2), lambda _, x: np.logaddexp(x, 0)),
    "log softmax": Case(dl.LogSoftmax, (5,), activations.log_softmax),
    "log softmax of steps": Case(dl.LogSoftmax, (2, 4), activations.log_softmax),
    "log softmax of pixels": Case(dl.LogSoftmax, (2, 3, 4), activations.log_softmax),
    "log softmax of many, in steps": Case(dl.LogSoftmax, (2, 33), activations.log_softmax),
    "prelu": Case(dl.PReLU, (6,), activations.prelu, kinks=True),
    "prelu of steps": Case(
        lambda: dl.PReLU(dl.Uniform(-1.5, 1.5)), (3, 2), activations.prelu, kinks=True
    ),
    "prelu on images": Case(
        lambda: dl.PReLU(dl.Uniform(-1.5, 1.5)), (4, 3, 2), activations.prelu, kinks=True
    ),
    "reshape to images": Case(
        lambda: dl.Reshape((2, 3, -1)), (12,), activations.reshape((2, 3, 2))
    ),
    "reshape images": Case(
        lambda: dl.Reshape((3, 2, 2)), (2, 2, 3), activations.reshape((3, 2, 2))
    ),
    "reshape images to steps": Case(
        lambda: dl.Reshape((-1, 4)), (2, 3, 2), activations.reshape((3, 4))
    ),
    "gaussian noise": Case(lambda: dl.GaussianNoise(0.3), (6,), lambda _, x: x, random=True),
    "gaussian noise on images": Case(
        lambda: dl.GaussianNoise(0.3), (4, 3, 2), lambda _, x: x, random=True
    ),
    "gaussian noise 0": Case(lambda: dl.GaussianNoise(0), (3,), lambda _, x: x),
    "spatial dropout": Case(
        lambda: dl.SpatialDropout2D(0.4), (3, 2, 8), lambda _, x: x, random=True
    ),
    "spatial dropout 0": Case(lambda: dl.SpatialDropout2D(0), (3, 2, 2), lambda _, x: x),
    "attention": Case(lambda: dl.MultiHeadSelfAttention(2), (4, 6), attention.attention),
    "attention, causal": Case(
        lambda: dl.MultiHeadSelfAttention(3, causal=True), (5, 6), attention.attention
    ),
    "attention with heads of width 1": Case(
        lambda: dl.MultiHeadSelfAttention(3), (2, 3), attention.attention
    ),
    "attention of one step": Case(
        lambda: dl.MultiHeadSelfAttention(1, causal=True), (1, 1), attention.attention
    ),
    "attention behind padding": Case(
        lambda: dl.Sequential(
            [dl.Embedding(5, 4, padding_index=0), dl.MultiHeadSelfAttention(2, causal=True)]
        ),
        (4,),
        attention.attention_of_words,
        draw=lambda rng, n: rng.integers(0, 5, (n, 4)),
    ),
    "positional encoding": Case(
        dl.PositionalEncoding, (4, 6), lambda _, x: attention.positional_encoding(x)
    ),
    "positional encoding of odd width": Case(
        dl.PositionalEncoding, (7, 3), lambda _, x: attention.positional_encoding(x)
    ),
    "positional encoding of one step": Case(
        dl.PositionalEncoding, (1, 1), lambda _, x: attention.positional_encoding(x)
    ),
    "embedding": Case(
        lambda: dl.Embedding(6, 3),
        (4,),
        recurrent.embedding,
        draw=lambda r, n: r.integers(6, size=(n, 4)),
    ),
    "embedding of one index": Case(
        lambda: dl.Embedding(3, 1), (), recurrent.embedding, draw=lambda r, n: r.integers(3, size=n)
    ),
    "embedding of images": Case(
        lambda: dl.Embedding(3, 2),
        (2, 3),
        recurrent.embedding,
        draw=lambda r, n: r.integers(3, size=(n, 2, 3), dtype=np.uint8),
    ),
    "embedding with padding": Case(
        lambda: dl.Embedding(6, 2, padding_index=0),
        (4,),
        recurrent.embedding,
        draw=recurrent.words_of_different_lengths,
    ),
    "masking": Case(dl.Masking, (3, 2), lambda _, x: x),
    "simple rnn": Case(lambda: dl.SimpleRNN(3), (4, 2), recurrent.recurrent),
    "simple rnn of sequences": Case(
        lambda: dl.SimpleRNN(2, return_sequences=True), (3, 4), recurrent.recurrent
    ),
    "lstm": Case(lambda: dl.LSTM(3), (4, 2), recurrent.recurrent),
    "lstm of sequences": Case(
        lambda: dl.LSTM(2, return_sequences=True), (3, 4), recurrent.recurrent
    ),
    "lstm with a penalty and a limit": Case(
        lambda: dl.LSTM(2, weight_penalty=dl.L1L2(0.1, 0.2), weight_constraint=dl.MaxNorm(1)),
        (3, 2),
        recurrent.recurrent,
    ),
    "lstm of one step": Case(lambda: dl.LSTM(1), (1, 1), recurrent.recurrent),
    "gru": Case(lambda: dl.GRU(3), (4, 2), recurrent.recurrent),
    "gru of sequences": Case(lambda: dl.GRU(2, return_sequences=True), (3, 4), recurrent.recurrent),
    "padded simple rnn": Case(
        lambda: dl.Sequential([dl.Embedding(6, 3, padding_index=0), dl.SimpleRNN(2)]),
        (4,),
        recurrent.padded_words,
        draw=recurrent.words_of_different_lengths,
    ),
    "padded lstm of sequences": Case(
        lambda: dl.Sequential(
            [dl.Embedding(6, 3, padding_index=0), dl.LSTM(2, return_sequences=True)]
        ),
        (4,),
        recurrent.padded_words,
        draw=recurrent.words_of_different_lengths,
    ),
    "padded gru": Case(
        lambda: dl.Sequential([dl.Embedding(6, 3, padding_index=0), dl.GRU(2)]),
        (4,),
        recurrent.padded_words,
        draw=recurrent.words_of_different_lengths,
    ),
    "bidirectional": Case(lambda: dl.Bidirectional(dl.LSTM(2)), (3, 2), recurrent.bidirectional),
    "bidirectional, of sequences": Case(
        lambda: dl.Bidirectional(dl.GRU(2, return_sequences=True)), (3, 2), recurrent.bidirectional
    ),
    "padded bidirectional, of sequences": Case(
        lambda: dl.Sequential(
            [
                dl.Embedding(6, 3, padding_index=0),
                dl.Bidirectional(dl.LSTM(2, return_sequences=True)),
            ]
        ),
        (4,),
        recurrent.padded_words,
        draw=recurrent.words_of_different_lengths,
    ),
    "max pool": Case(dl.MaxPool2D, (4, 6, 2), pooling.max_pool),
    "max pool of odd images": Case(dl.MaxPool2D, (5, 3, 2), pooling.max_pool),
    "max pool of overlapping windows": Case(
        lambda: dl.MaxPool2D((3, 2), (2, 1)), (6, 4, 2), pooling.max_pool
    ),
    "max pool with gaps": Case(lambda: dl.MaxPool2D(2, 3), (6, 7, 1), pooling.max_pool),
    "max pool, same": Case(lambda: dl.MaxPool2D(3, 2, padding="same"), (4, 5, 2), pooling.max_pool),
    "max pool, same, odd": Case(lambda: dl.MaxPool2D(padding="same"), (5, 4, 2), pooling.max_pool),
    "max pool, same, with gaps": Case(
        lambda: dl.MaxPool2D(3, 5, padding="same"), (6, 6, 1), pooling.max_pool
    ),
    "average pool": Case(dl.AveragePool2D, (4, 6, 2), pooling.average_pool),
    "average pool of overlapping windows": Case(
        lambda: dl.AveragePool2D((2, 3), 2), (4, 6, 2), pooling.average_pool
    ),
    "average pool with gaps": Case(
        lambda: dl.AveragePool2D((1, 2), 3), (5, 5, 1), pooling.average_pool
    ),
    "average pool, same": Case(
        lambda: dl.AveragePool2D(3, 2, padding="same"), (4, 5, 2), pooling.average_pool
    ),
    "max pool of steps": Case(dl.MaxPool1D, (7, 2), pooling.max_pool_of_steps),
    "max pool of steps, same": Case(
        lambda: dl.MaxPool1D(3, 2, padding="same"), (6, 2), pooling.max_pool_of_steps
    ),
    "global average pool": Case(
        dl.GlobalAveragePool2D, (3, 4, 2), lambda _, x: np.einsum("nhwc->nc", x) / 12
    ),
    "global max pool": Case(
        dl.GlobalMaxPool2D, (3, 4, 2), lambda _, x: np.sort(x.reshape(len(x), 12, 2), 1)[:, -1]
    ),
    "global average pool of steps": Case(
        dl.GlobalAveragePool1D, (5, 2), lambda _, x: sum(x[:, t] for t in range(5)) / 5
    ),
    "up sampling": Case(dl.UpSampling2D, (2, 3, 2), pooling.repeated),
    "up sampling by two numbers": Case(
        lambda: dl.UpSampling2D((3, 1)), (2, 3, 2), pooling.repeated
    ),
    "batch norm": Case(
        lambda: normalization.learned(dl.BatchNorm(), (3,)), (3,), normalization.by_running_values
    ),
    "batch norm of one channel": Case(
        lambda: normalization.learned(dl.BatchNorm(), (1,)), (1,), normalization.by_running_values
    ),
    "batch norm on steps": Case(
        lambda: normalization.learned(dl.BatchNorm(0.5, epsilon=0.1), (4, 2)),
        (4, 2),
        normalization.by_running_values,
    ),
    "batch norm on images": Case(
        lambda: normalization.learned(dl.BatchNorm(), (2, 3, 2)),
        (2, 3, 2),
        normalization.by_running_values,
    ),
    "frozen batch norm": Case(
        lambda: normalization.frozen(normalization.learned(dl.BatchNorm(), (2, 2, 3))),
        (2, 2, 3),
        normalization.by_running_values,
    ),
    "layer norm": Case(
        lambda: normalization.learned(dl.LayerNorm(), (5,)), (5,), normalization.by_rows
    ),
    "layer norm of one channel": Case(
        lambda: normalization.learned(dl.LayerNorm(), (1,)), (1,), normalization.by_rows
    ),
    "layer norm on steps": Case(
        lambda: normalization.learned(dl.LayerNorm(0.1), (3, 4)), (3, 4), normalization.by_rows
    ),
    "layer norm on images": Case(
        lambda: normalization.learned(dl.LayerNorm(), (2, 3, 4)), (2, 3, 4), normalization.by_rows
    ),
    "rms norm": Case(
        lambda: normalization.learned(dl.RMSNorm(), (5,)), (5,), normalization.by_root_mean_square
    ),
    "rms norm on steps": Case(lambda: dl.RMSNorm(0.1), (3, 4), normalization.by_root_mean_square),
    "rms norm on images": Case(dl.RMSNorm, (2, 3, 4), normalization.by_root_mean_square),
    "group norm": Case(
        lambda: normalization.learned(dl.GroupNorm(2), (6,)), (6,), normalization.by_groups
    ),
    "group norm on steps": Case(
        lambda: normalization.learned(dl.GroupNorm(2), (3, 4)), (3, 4), normalization.by_groups
    ),
    "group norm on images": Case(
        lambda: normalization.learned(dl.GroupNorm(3), (2, 3, 6)),
        (2, 3, 6),
        normalization.by_groups,
    ),
    "group norm of one group": Case(
        lambda: normalization.learned(dl.GroupNorm(1, 0.1), (2, 2, 3)),
        (2, 2, 3),
        normalization.by_groups,
    ),
    "group norm of each channel": Case(
        lambda: normalization.learned(dl.GroupNorm(2), (3, 3, 2)),
        (3, 3, 2),
        normalization.by_groups,
    ),
    "standardize": Case(
        lambda: normalization.learned(dl.Standardize(), (3,)), (3,), normalization.standardized
    ),
    "standardize images": Case(
        lambda: normalization.learned(dl.Standardize(), (2, 3, 2)),
        (2, 3, 2),
        normalization.standardized,
    ),
    "conv": Case(
        lambda: dl.Conv2D(3, 3, bias_initializer=dl.Normal()), (5, 4, 2), convolution.conv
    ),
    "conv without bias": Case(
        lambda: dl.Conv2D(2, (2, 3), use_bias=False), (4, 5, 3), convolution.conv
    ),
    "conv, stride": Case(lambda: dl.Conv2D(2, 3, stride=(2, 3)), (6, 8, 2), convolution.conv),
    "conv, same": Case(
        lambda: dl.Conv2D(2, (3, 2), padding="same", bias_initializer=dl.Normal()),
        (4, 3, 2),
        convolution.conv,
    ),
    "conv, same, stride": Case(
        lambda: dl.Conv2D(2, 3, stride=2, padding="same"), (4, 5, 1), convolution.conv
    ),
    "conv, pairs of padding": Case(
        lambda: dl.Conv2D(2, 2, padding=((0, 3), (2, 1))), (3, 2, 2), convolution.conv
    ),
    "conv, dilation": Case(lambda: dl.Conv2D(2, 2, dilation=(3, 2)), (5, 4, 2), convolution.conv),
    "conv, dilation, same, stride, groups": Case(
        lambda: dl.Conv2D(4, (3, 2), stride=(1, 2), padding="same", dilation=2, groups=2),
        (5, 6, 2),
        convolution.conv,
    ),
    "conv, groups": Case(
        lambda: dl.Conv2D(6, 2, groups=2, bias_initializer=dl.Normal()), (3, 4, 4), convolution.conv
    ),
    "conv, depthwise": Case(
        lambda: dl.Conv2D(6, 3, padding="same", groups=3), (3, 4, 3), convolution.conv
    ),
    "conv, pointwise": Case(
        lambda: dl.Conv2D(3, 1, bias_initializer=dl.Normal()), (3, 4, 2), convolution.conv
    ),
    "conv, pointwise, padding": Case(
        lambda: dl.Conv2D(3, 1, padding=((0, 1), (2, 0))), (2, 3, 3), convolution.conv
    ),
    "conv, pointwise, groups": Case(lambda: dl.Conv2D(4, 1, groups=2), (3, 2, 4), convolution.conv),
    "conv, pointwise, groups, stride": Case(
        lambda: dl.Conv2D(4, 1, stride=2, groups=2), (3, 4, 2), convolution.conv
    ),
    "conv, kernel as large as the image": Case(
        lambda: dl.Conv2D(3, (4, 3)), (4, 3, 2), convolution.conv
    ),
    "conv with a penalty and a limit": Case(
        lambda: dl.Conv2D(2, 2, weight_penalty=dl.L1L2(0.1, 0.2), weight_constraint=dl.MaxNorm(1)),
        (3, 4, 2),
        convolution.conv,
    ),
    "conv of one pixel": Case(lambda: dl.Conv2D(1, 3, padding=1), (1, 1, 1), convolution.conv),
    "conv of steps": Case(
        lambda: dl.Conv1D(3, 3, bias_initializer=dl.Normal()), (6, 2), convolution.conv
    ),
    "conv of steps without bias": Case(
        lambda: dl.Conv1D(2, 1, use_bias=False), (3, 4), convolution.conv
    ),
    "conv of steps, same, stride": Case(
        lambda: dl.Conv1D(2, 4, stride=3, padding="same"), (8, 2), convolution.conv
    ),
    "conv of steps, causal, dilation": Case(
        lambda: dl.Conv1D(2, 2, padding="causal", dilation=3), (5, 2), convolution.conv
    ),
    "conv of steps, padding, groups": Case(
        lambda: dl.Conv1D(4, 2, padding=((3, 1),), groups=2), (4, 4), convolution.conv
    ),
    "conv of steps, depthwise": Case(lambda: dl.Conv1D(3, 2, groups=3), (5, 3), convolution.conv),
    "transposed conv": Case(
        lambda: dl.Conv2DTranspose(2, 3, bias_initializer=dl.Normal()),
        (3, 2, 3),
        convolution.conv_transpose,
    ),
    "transposed conv, stride": Case(
        lambda: dl.Conv2DTranspose(3, (3, 2), stride=(2, 3)), (2, 3, 2), convolution.conv_transpose
    ),
    "transposed conv, same, stride": Case(
        lambda: dl.Conv2DTranspose(2, (3, 1), stride=2, padding="same", use_bias=False),
        (3, 2, 2),
        convolution.conv_transpose,
    ),
    "transposed conv, cut": Case(
        lambda: dl.Conv2DTranspose(2, 4, stride=2, padding=((1, 2), (0, 1))),
        (3, 2, 2),
        convolution.conv_transpose,
    ),
    "sequential": Case(
        lambda: dl.Sequential(
            [
                dl.Flatten(),
                dl.Dense(6),
                dl.ReLU(),
                dl.Dropout(0.3),
                dl.Sequential([dl.Dense(4, bias_initializer=dl.Normal()), dl.Softmax()]),
            ]
        ),
        (2, 2, 3),
        _chain,
        kinks=True,
        random=True,
    ),
    "residual": Case(
        lambda: dl.Residual(dl.Sequential([dl.Dense(5), dl.Tanh()])),
        (5,),
        lambda layer, x: x + np.tanh(_dense(layer.body.layers[0], x)),
    ),
    "residual with shortcut": Case(
        lambda: dl.Residual(dl.Sequential([dl.Dense(4), dl.Dropout(0.3)]), dl.Dense(4)),
        (3,),
        lambda layer, x: _dense(layer.body.layers[0], x) + _dense(layer.shortcut, x),
        random=True,
    ),
    "residual of images": Case(
        lambda: dl.Residual(dl.Tanh()), (3, 2, 2), lambda _, x: x + np.tanh(x)
    ),
    "parallel": Case(
        lambda: dl.Parallel([dl.Dense(2), dl.Sequential([dl.Dense(3), dl.Tanh()]), dl.Sigmoid()]),
        (4,),
        lambda layer, x: np.column_stack(
            [
                _dense(layer.branches[0], x),
                np.tanh(_dense(layer.branches[1].layers[0], x)),
                special.expit(x),
            ]
        ),
    ),
    "parallel, added": Case(
        lambda: dl.Parallel([dl.Dense(3), dl.Tanh(), dl.Dense(3)], merge="add"),
        (3,),
        lambda layer, x: _dense(layer.branches[0], x) + np.tanh(x) + _dense(layer.branches[2], x),
    ),
    "parallel of images": Case(
        lambda: dl.Parallel([dl.Tanh(), dl.Sigmoid()]),
        (2, 3, 2),
        lambda _, x: np.concatenate([np.tanh(x), special.expit(x)], axis=-1),
    ),
    "parallel of one": Case(lambda: dl.Parallel([dl.Tanh()], "add"), (3,), lambda _, x: np.tanh(x)),
    "containers in containers": Case(
        lambda: dl.Residual(
            dl.Parallel([dl.Residual(dl.Dense(3)), dl.Sequential([dl.Tanh(), dl.Tanh()])], "add"),
            dl.Parallel([dl.Dense(2), dl.Dense(1)]),
        ),
        (3,),
        lambda layer, x: (
            x
            + _dense(layer.body.branches[0].body, x)
            + np.tanh(np.tanh(x))
            + np.column_stack([_dense(branch, x) for branch in layer.shortcut.branches])
        ),
    ),
}
WANTED = os.environ.get("MINIDL_CASES", "").split()  # mutation.py: rows of layers in these modules
if WANTED:
    CASES = {
        name: case
        for name, case in CASES.items()
        if any(type(layer).__module__.split(".")[-1] in WANTED for layer in case.make().walk())
    }


class Unflatten(dl.Layer):
    """(N, D) to (N, *shape), so that any case can stand behind a Dense."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.shape

    def forward(self, x, *, training=False, out=None):
        if training:
            self.save_for_backward(x.shape)
        return x.reshape(len(x), *self.shape)

    def backward(self, dy, *, input_grad=True, out=None):
        (shape,) = self.saved()
        return dy.reshape(shape) if input_grad else None


class Shortcut(dl.Layer):
    """x + body(x) where shapes allow it, body(x) elsewhere: a container of a user's own."""

    def __init__(self, body: dl.Layer) -> None:
        self.body = body
        self.children = [body]
        self.couples_rows = body.couples_rows

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.body.output_shape(input_shape)

    def forward(self, x, *, training=False, out=None):
        y = self.body.forward(x, training=training)
        return np.add(x, y, out=out) if y.shape == x.shape else y

    def backward(self, dy, *, input_grad=True, out=None):
        dx = self.body.backward(dy, input_grad=input_grad)
        if not input_grad:
            return None
        return np.add(dy, dx, out=out) if dx.shape == dy.shape else dx


def nested(case: Case) -> dl.Sequential:
    """The case in the middle of a network, behind a layer with parameters and before another."""
    return dl.Sequential(
        [
            dl.Dense(math.prod(case.input_shape)),
            Unflatten(case.input_shape),
            Shortcut(case.make()),
            dl.Flatten(),
            dl.Dense(2),
        ]
    )
