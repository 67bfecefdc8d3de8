"""Random networks: any layers that fit one behind the other, with random options and values."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import minidl as dl

SMALL = st.integers(1, 4)
ACTIVATIONS = st.one_of(
    *map(st.builds, [dl.ReLU, dl.SELU, dl.Sigmoid, dl.SiLU, dl.Softplus, dl.Tanh, dl.PReLU]),
    *map(st.builds, [dl.Softmax, dl.LogSoftmax]),
    st.builds(dl.LeakyReLU, st.sampled_from([0.0, 0.01, 0.5])),
    st.builds(dl.ELU, st.floats(0.1, 2)),
    st.builds(dl.GELU, approximate=st.booleans()),
)
RATE = st.sampled_from([0.0, 0.5])
NOISE = st.builds(dl.Dropout, RATE) | st.builds(dl.GaussianNoise, RATE)
EPSILON = st.sampled_from([0.1, 1.0])  # a small one would blow up the rounding of what is in front
PADDING = st.sampled_from(["valid", "same"])


def divisors(n):
    return st.sampled_from([d for d in range(1, n + 1) if n % d == 0])


def normalizations(channels):
    return st.one_of(
        st.builds(dl.BatchNorm, epsilon=EPSILON),
        st.builds(dl.LayerNorm, EPSILON),
        st.builds(dl.RMSNorm, EPSILON),
        st.builds(dl.GroupNorm, divisors(channels), EPSILON),
        st.builds(dl.Standardize),
    )


def of_vectors(shape):
    """Layers for samples of this shape (D,) that give vectors, and some that give others."""
    (d,) = shape
    parts = st.tuples(divisors(d), divisors(d)).filter(lambda pair: d % (pair[0] * pair[1]) == 0)
    return st.one_of(
        st.builds(dl.Dense, st.integers(1, 8), use_bias=st.booleans()),
        st.builds(dl.Dense, st.integers(1, 8)),
        st.builds(dl.Flatten),
        divisors(d).map(lambda steps: dl.Reshape((steps, -1))),
        parts.map(lambda pair: dl.Reshape((*pair, -1))),
    )


def recurrent():
    kinds = st.sampled_from([dl.SimpleRNN, dl.LSTM, dl.GRU])
    layers = kinds.flatmap(lambda kind: st.builds(kind, SMALL, return_sequences=st.booleans()))
    return layers | st.builds(dl.Bidirectional, layers)


@st.composite
def convolutions(draw, kind, axes, channels):
    groups = draw(divisors(channels))
    pads = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * axes)
    words = ["valid", "same", "causal"] if axes == 1 else ["valid", "same"]
    return kind(
        groups * draw(st.integers(1, 3)),
        draw(st.tuples(*[st.integers(1, 3)] * axes)),
        stride=draw(st.tuples(*[st.integers(1, 3)] * axes)),
        padding=draw(st.sampled_from(words) | pads),
        dilation=draw(st.tuples(*[st.integers(1, 2)] * axes)),
        groups=groups,
        use_bias=draw(st.booleans()),
    )


def of_sequences(shape):
    steps, d = shape
    return st.one_of(
        recurrent(),
        convolutions(dl.Conv1D, 1, d),
        st.builds(dl.Dense, st.integers(1, 6), use_bias=st.booleans()),
        st.builds(dl.MaxPool1D, st.integers(1, 3), st.integers(1, 3), padding=PADDING),
        st.builds(dl.MultiHeadSelfAttention, divisors(d), causal=st.booleans()),
        st.builds(dl.PositionalEncoding),
        st.builds(dl.GlobalAveragePool1D),
        divisors(d).map(lambda part: dl.Reshape((-1, part))),
        *([] if steps is None else [st.builds(dl.Flatten)]),
    )


def of_images(shape):
    channels = shape[-1]
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    pooling = {"pool_size": pair, "stride": st.none() | pair, "padding": PADDING}
    return st.one_of(
        convolutions(dl.Conv2D, 2, channels),
        convolutions(dl.Conv2D, 2, channels),
        st.builds(
            dl.Conv2DTranspose,
            SMALL,
            pair,
            stride=pair,
            padding=PADDING | st.just(((0, 1), (1, 0))),
            use_bias=st.booleans(),
        ),
        st.builds(dl.MaxPool2D, **pooling),
        st.builds(dl.AveragePool2D, **pooling),
        st.builds(dl.UpSampling2D, st.tuples(st.integers(1, 2), st.integers(1, 2))),
        st.builds(dl.SpatialDropout2D, st.just(0.5)),
        *map(st.builds, [dl.GlobalAveragePool2D, dl.GlobalMaxPool2D, dl.Flatten]),
        st.just(dl.Reshape((-1, channels))),
    )


BY_RANK = {1: of_vectors, 2: of_sequences, 3: of_images}


def fitting(layer, shape):
    """The output shape, or None where the layer does not fit, or makes too much of its input."""
    try:
        output = layer.output_shape(shape)
    except dl.ShapeError:
        return None
    return output if np.prod([n or 8 for n in output]) <= 2000 else None


@st.composite
def chains(draw, shape, most, depth):
    """Layers for samples of this shape, one behind the other; and the shape of the output."""
    layers = []
    for _ in range(draw(st.integers(1, most))):
        kinds = [BY_RANK[len(shape)](shape), ACTIVATIONS, normalizations(shape[-1]), NOISE]
        if depth:
            kinds += [containers(shape, depth - 1)]
        layer = draw(st.one_of(kinds))
        output = fitting(layer, shape)
        if output is not None:
            layers.append(layer)
            shape = output
    return layers or [dl.Tanh()], shape


@st.composite
def containers(draw, shape, depth):
    """A Sequential, Residual or Parallel."""
    bodies = [draw(chains(shape, 3, depth)) for _ in range(draw(st.integers(1, 3)))]
    first, output = bodies[0]
    same = [layers for layers, its in bodies if its == output]
    kind = draw(st.sampled_from(["sequential", "residual", "add", "concat"]))
    if kind == "residual" and output == shape:
        return dl.Residual(dl.Sequential(first))
    if kind == "residual" and len(same) > 1:
        return dl.Residual(dl.Sequential(first), dl.Sequential(same[1]))
    if kind == "add":
        return dl.Parallel([dl.Sequential(each) for each in same], "add")
    if kind == "concat":
        alike = [
            layers for layers, its in bodies if its[:-1] == output[:-1] and len(its) == len(output)
        ]
        return dl.Parallel([dl.Sequential(each) for each in alike])
    return dl.Sequential(first)


@st.composite
def models(draw):
    """A built model with random values."""
    kind = draw(st.sampled_from(["vectors", "sequences", "images", "words"]))
    front = []
    if kind == "vectors":
        shape = inputs = (draw(st.integers(1, 12)),)
    elif kind == "images":
        shape = inputs = (draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(SMALL))
    elif kind == "sequences":
        shape = inputs = (draw(st.none() | st.integers(1, 6)), draw(SMALL))
        front = draw(st.sampled_from([[], [dl.Masking()]]))
    else:
        inputs = (draw(st.none() | st.integers(1, 6)),)
        front = [dl.Embedding(5, draw(SMALL), padding_index=draw(st.sampled_from([None, 0, 3])))]
        shape = (*inputs, front[0].units)
    layers, _ = draw(chains(shape, 6, 2))
    seed = draw(st.integers(0, 2**32))
    model = dl.Sequential([*front, *layers]).build(inputs, rng=seed)
    # There a mask goes on where the lengths happen to be the same, which a graph cannot know
    strided = [each for each in model.walk() if isinstance(each, dl.Conv1D) and each.stride != (1,)]
    assume(not (None in inputs and model.makes_mask and strided))
    rng = np.random.default_rng(seed)
    for plan in model.bound.plan.walk():
        for spec in (*plan.specs, *plan.state_specs):
            if spec.name in ("running_variance", "std"):
                setattr(plan.layer, spec.name, rng.uniform(0.5, 2, spec.shape))
            elif len(spec.shape) == 1:
                setattr(plan.layer, spec.name, rng.normal(size=spec.shape))
    return model


def batch(model, n, rng):
    """Inputs for a model, some steps of which are zero."""
    shape = tuple(
        int(rng.integers(1, 9)) if length is None else length for length in model.input_shape
    )
    if model.accepts_integers:
        return rng.integers(0, 5, (n, *shape))
    x = rng.normal(size=(n, *shape)).astype(np.float32)
    if len(shape) == 2:
        x[rng.random((n, shape[0])) < 0.3] = 0
    return x
