"""Random networks of the layers that both exports can write."""

import numpy as np

import minidl as dl

BIAS = {"bias_initializer": dl.Normal(0.0, 0.5)}
ACTIVATIONS = [
    dl.ReLU,
    dl.LeakyReLU,
    dl.ELU,
    dl.SELU,
    dl.GELU,
    lambda: dl.GELU(approximate=True),
    dl.SiLU,
    dl.Sigmoid,
    dl.Tanh,
    dl.Softplus,
    lambda: dl.PReLU(dl.Uniform(-0.5, 0.9)),
    dl.BatchNorm,
    dl.LayerNorm,
    dl.RMSNorm,
    lambda: dl.Dropout(0.3),
    lambda: dl.GaussianNoise(0.3),
]


def random_network(seed):
    """A built network whose running statistics have moved, and rows for it."""
    rng = np.random.default_rng([7, seed])
    input_shape = pick(rng, [(int(rng.integers(1, 20)),), (9, 7, 4), (11, 4)])
    layers, shape = [], input_shape
    if rng.random() < 0.4:
        layers.append(dl.Standardize().adapt(rng.normal(3.0, 2.0, (50, *shape))))
    for _ in range(rng.integers(1, 5)):
        block = dl.Sequential(random_block(rng, shape))
        shape = block.output_shape(shape)
        layers += [block] if rng.random() < 0.3 else block.layers
    if len(shape) == 3:
        layers.append(pick(rng, [dl.Flatten, dl.GlobalAveragePool2D, dl.GlobalMaxPool2D])())
    elif len(shape) == 2:
        layers.append(pick(rng, [dl.Flatten, dl.GlobalAveragePool1D])())
    layers += [pick(rng, ACTIVATIONS)(), dl.Dense(int(rng.integers(1, 12)), **BIAS)]
    layers += pick(rng, [[], [dl.Softmax()], [dl.LogSoftmax()], [dl.Sigmoid()]])
    model = dl.Sequential(layers).build(input_shape, rng=seed)
    x = rng.normal(3.0, 2.0, (40, *input_shape)).astype(np.float32)
    model.forward(x, training=True)
    return model, x[:10]


def random_block(rng, shape):
    """One or a few layers for samples of this shape."""
    activation, rank, kind = pick(rng, ACTIVATIONS), len(shape), rng.random()
    same = {1: [dl.Dense(shape[-1], **BIAS)], 2: [dl.Conv1D(shape[-1], 3, padding="causal")]}
    same[3] = [dl.Conv2D(shape[-1], 3, padding="same", groups=pick(rng, [1, shape[-1]]), **BIAS)]
    if kind < 0.2:
        return [dl.Residual(dl.Sequential([*same[rank], activation()]))]
    if kind < 0.3:
        return [dl.Residual(dl.Dropout(0.2), dl.Sequential([activation(), *same[rank]])), dl.Tanh()]
    if kind < 0.45:
        branches = [dl.Sequential([*same[rank], activation()]), dl.Dropout(0.2), dl.Sigmoid()]
        return [dl.Parallel(branches, pick(rng, ["concat", "add"])), activation()]
    if kind < 0.6 and rank == 3:
        pool, stride = pick(rng, [dl.MaxPool2D, dl.AveragePool2D]), pick(rng, [None, 1, 2])
        return [pool(int(rng.integers(2, 4)), stride, padding="same")]
    if kind < 0.65 and rank == 3:
        return [dl.UpSampling2D((2, 1))]
    if kind < 0.6 and rank == 2:
        return [dl.MaxPool1D(2, pick(rng, [None, 1]), padding="same")]
    return [widening(rng, rank), activation(), pick(rng, ACTIVATIONS)()]


def widening(rng, rank):
    """A layer with weights, of any number of outputs."""
    if rank == 1 or rng.random() < 0.3:
        units = dl.Dense(int(rng.integers(1, 30)), use_bias=bool(rng.random() < 0.8))
        return units if rank < 3 else dl.Conv2D(units.units, 1, use_bias=units.use_bias)
    filters, stride = int(rng.integers(1, 9)), int(rng.integers(1, 3))
    if rank == 2:
        padding = pick(rng, ["same", "causal", 2])
        return dl.Conv1D(filters, 3, stride=stride, padding=padding, dilation=2, **BIAS)
    padding, dilation = pick(rng, ["same", 2, ((2, 1), (1, 2))]), int(rng.integers(1, 3))
    return dl.Conv2D(filters, (3, 2), stride=stride, padding=padding, dilation=dilation, **BIAS)


def pick(rng, choices):
    """One of them."""
    return choices[rng.integers(len(choices))]
