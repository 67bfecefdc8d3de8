"""Which inputs a prediction depends on."""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import instance
from minidl.containers.chain import Chain
from minidl.containers.nesting import computes_like, innermost_layers
from minidl.errors import ArgumentError, DataError, DTypeError, ShapeError
from minidl.finiteness import is_finite
from minidl.fusion import chain_of
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape, convert_input, raise_if_not_finite
from minidl.layers.dropout import Dropout
from minidl.layers.gaussian_noise import GaussianNoise
from minidl.layers.log_softmax import LogSoftmax
from minidl.layers.sigmoid import Sigmoid
from minidl.layers.softmax import Softmax
from minidl.layers.spatial_dropout2d import SpatialDropout2D
from minidl.typing import Array

_ACTIVATIONS = (Softmax, LogSoftmax, Sigmoid)


def saliency_map(model: Layer, x: ArrayLike, target: ArrayLike | None = None) -> Array:
    r"""Return how strongly an output's score depends on every input number.

    $$M_i = \left| \frac{\partial s_c(x)}{\partial x_i} \right|$$

    $s_c$ is the score of output c in inference mode. Where the model ends in `Softmax`,
    `LogSoftmax` or `Sigmoid` it is the number in front of that, because a probability near 1 hardly
    changes with anything. The map says where a small change of the input would change the score
    most; it does not say that the network looks at nothing else. The model is left as it is.

    Args:
        model: A built layer whose output is one vector a sample.
        x: Samples (N, *input_shape).
        target: The output c for all samples, or one for each (N,); by default each sample's
            largest.

    Returns:
        The map, of the shape of `x`, at least 0.

    Raises:
        DTypeError: If the model takes integers, by which nothing can be differentiated.
        ShapeError: If `x` or `target` does not fit, or an output is no vector.
        DataError: If scores are not finite.
        ArgumentError: If there is no such output, or training passes of a layer of your own compute
            something else than inference.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((3,), rng=0)
        >>> x = np.ones((1, 3), np.float32)
        >>> bool((saliency_map(model, x, 1) == abs(model.layers[0].weight[:, 1])).all())
        True

    References:
        K. Simonyan, A. Vedaldi, A. Zisserman, Deep inside convolutional networks: visualising image
        classification models and saliency maps, ICLR workshop 2014, arXiv:1312.6034.
    """
    data = convert_input(instance("saliency_map", "model", model, Layer), x)
    if data.dtype.kind != "f":
        raise DTypeError(
            "saliency_map: expected floating input, got indices, by which nothing can be "
            "differentiated. Take the layers behind the Embedding."
        )
    *before, last = innermost_layers(model)
    behind_score = bool(before) and any(computes_like(last, kind) for kind in _ACTIVATIONS)
    exact, twin = (chain_of(each, behind_score) for each in (model, _without_chance(model)))
    scores_shape = exact.layers[-1].bound.output_shape
    if len(scores_shape) != 1:
        raise ShapeError(
            "saliency_map: expected a model with outputs of shape (N, M), got "
            f"{batch_shape(scores_shape)}."
        )
    n = data.shape[0]
    targets = _targets(target, n, scores_shape[0])
    strength = np.empty(data.shape, model.dtype)
    rows = model.bound.plan.chunk_rows  # as many as fit the cache
    for i in range(0, n, rows):
        part = slice(i, i + rows)
        chosen = None if targets is None else targets[part]
        np.abs(_score_gradients(model, exact, twin, data[part], chosen), out=strength[part])
    return strength


def _score_gradients(
    model: Layer, exact: Chain, twin: Chain, x: Array, targets: Array | None
) -> Array:
    """The derivatives of some samples' scores."""
    wanted = exact.infer(x)  # (N, M)
    raise_if_not_finite(model, x, wanted)
    if not is_finite(wanted):
        raise DataError("saliency_map: the model's scores are not finite, although x is.")
    scores = twin.forward(x)
    room = 1e-3 * np.abs(wanted).max()
    if not np.allclose(scores, wanted, rtol=0, atol=room):
        raise ArgumentError(
            "saliency_map: a training pass of this model computes something else than inference, "
            "although Dropout, noise and BatchNorm are held still. Take the layer of your own that "
            "does so out of a copy of the model."
        )
    d_scores = np.zeros_like(scores)
    d_scores[np.arange(len(scores)), wanted.argmax(axis=1) if targets is None else targets] = 1
    dx: Array = np.asarray(twin.backward(d_scores, input_grad=True))  # (N, M) -> (N, *input_shape)
    return dx


def _targets(target: ArrayLike | None, n: int, m: int) -> Array | None:
    """One output for each of n samples; None for the largest of each."""
    if target is None:
        return None
    targets: Array = np.asarray(target)
    if targets.dtype.kind not in "iu":
        raise DTypeError(
            f"saliency_map: target must be numbers of outputs, whole, got {targets.dtype}."
        )
    if targets.shape not in ((), (n,)):
        raise ShapeError(
            f"saliency_map: expected one target, or one for each of {n} samples, got the shape "
            f"{targets.shape}."
        )
    if targets.min() < 0 or targets.max() >= m:
        raise ArgumentError(
            f"saliency_map: the model has the outputs 0 to {m - 1}, got target {target}."
        )
    return np.broadcast_to(targets, n)


def _without_chance(model: Layer) -> Layer:
    """A copy whose training passes compute what inference does."""
    twin = copy.deepcopy(model)
    if not twin.built:  # the copy of a layer inside a model
        twin.build(model.input_shape, dtype=model.dtype)
    twin.trainable = False  # BatchNorm then takes its running statistics
    for layer in twin.walk():
        if isinstance(layer, Dropout | SpatialDropout2D):
            layer.rate = 0.0
        elif isinstance(layer, GaussianNoise):
            layer.stddev = 0.0
    return twin
