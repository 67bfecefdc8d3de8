"""The comparison with PyTorch: recurrent layers, one and both ways, packed, and embeddings."""

import functools

import numpy as np
import pytest
import torch
from parity.comparison import compare, tensor

import minidl as dl

F = torch.nn.functional
MODULES = {dl.SimpleRNN: torch.nn.RNN, dl.LSTM: torch.nn.LSTM, dl.GRU: torch.nn.GRU}


def run(x, *parameters, kind, return_sequences, lengths=None):
    """PyTorch's module with the given parameters; with lengths, on packed sequences.

    It holds weights as (outputs, inputs) and two biases for each gate, which only in the n of a
    GRU are not simply added.
    """
    for_each = 4 if kind is dl.GRU else 3
    ways = len(parameters) // for_each
    units, values = parameters[1].shape[0], {}
    for suffix, start in zip(("", "_reverse")[:ways], (0, for_each), strict=False):
        W, U, b, *c = parameters[start : start + for_each]
        values |= {
            f"weight_ih_l0{suffix}": W.T,
            f"weight_hh_l0{suffix}": U.T,
            f"bias_ih_l0{suffix}": b,
            f"bias_hh_l0{suffix}": c[0] if c else torch.zeros_like(b),
        }
    module = MODULES[kind](
        x.shape[2], units, batch_first=True, bidirectional=ways == 2, dtype=x.dtype
    )
    if lengths is not None:
        x = torch.nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
    y, state = torch.func.functional_call(module, values, (x,))
    if not return_sequences:
        h = state[0] if kind is dl.LSTM else state
        return h.transpose(0, 1).flatten(1)  # (ways, N, M) -> (N, ways M)
    if lengths is not None:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
    return y


def recurrent_rows():
    for kind in MODULES:
        for return_sequences in (False, True):
            yield (
                f"{kind.__name__}{' of sequences' if return_sequences else ''}",
                (
                    functools.partial(kind, 4, return_sequences=return_sequences),
                    (6, 3),
                    functools.partial(run, kind=kind, return_sequences=return_sequences),
                ),
            )


def both_ways(make):
    return dl.Bidirectional(make())


RECURRENT = dict(recurrent_rows())
BIDIRECTIONAL = {
    f"bidirectional {name}": (functools.partial(both_ways, make), shape, function)
    for name, (make, shape, function) in RECURRENT.items()
}
# name: layer, shape of a sample, the same in PyTorch as a function of input and parameters
LAYERS = {
    **RECURRENT,
    **BIDIRECTIONAL,
    "masking": (dl.Masking, (3, 2), lambda x: 1.0 * x),
    "embedding": (lambda: dl.Embedding(7, 3), (5,), F.embedding),
    "embedding with padding": (
        lambda: dl.Embedding(7, 3, padding_index=2),
        (5,),
        lambda x, W: F.embedding(x, W, padding_idx=2),
    ),
}


def build(make, shape, seed=0):
    """A layer with biases that are not zero."""
    layer = make().build(shape, rng=seed, dtype=np.float64)
    layer.params += 0.3 * np.random.default_rng(seed).normal(size=layer.params.shape)
    return layer


def compare_ways(layer, x, function, mask=None):
    """As `compare`, for layers inside a container too, at the steps that count."""
    y = layer.forward(x, training=True, mask=mask)
    dy = np.random.default_rng(1).normal(size=y.shape)
    if mask is not None and y.ndim == 3:
        dy[~mask] = 0  # PyTorch's outputs are zeros there
    dx = layer.backward(dy)
    named = [(each, name) for each in layer.walk() for name in each.gradients]
    inputs = [tensor(a, grad=True) for a in (x, *(getattr(each, name) for each, name in named))]
    theirs = function(*inputs)
    theirs.backward(tensor(dy))
    counted = mask if mask is not None and y.ndim == 3 else ...
    pairs = [(y[counted], theirs.detach().numpy()[counted]), (dx, inputs[0].grad.numpy())]
    for (each, name), other in zip(named, inputs[1:], strict=True):
        pairs.append((each.gradients[name], other.grad.numpy()))
    for mine, other in pairs:
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("make", "shape", "function"), RECURRENT.values(), ids=RECURRENT)
def test_recurrent(make, shape, function, scale):
    x = scale * np.random.default_rng(0).normal(size=(7, *shape))
    compare(build(make, shape), x, function)


@pytest.mark.parametrize(("make", "shape", "function"), BIDIRECTIONAL.values(), ids=BIDIRECTIONAL)
def test_bidirectional(make, shape, function):
    compare_ways(build(make, shape), np.random.default_rng(0).normal(size=(7, *shape)), function)


PADDED = RECURRENT | BIDIRECTIONAL


@pytest.mark.parametrize("lengths", [[6, 1, 4, 6], [2, 6, 3, 1]], ids=str)
@pytest.mark.parametrize(("make", "shape", "function"), PADDED.values(), ids=PADDED)
def test_packed_sequences(make, shape, function, lengths):
    x = np.random.default_rng(0).normal(size=(4, *shape))
    mask = np.arange(6) < np.array(lengths)[:, np.newaxis]
    compare_ways(build(make, shape), x, functools.partial(function, lengths=lengths), mask)


@pytest.mark.parametrize("name", ["embedding", "embedding with padding"])
@pytest.mark.parametrize("steps", [(), (5,), (2, 3)], ids=str)
def test_embedding(name, steps):
    make, _, function = LAYERS[name]
    layer = build(make, steps)
    if layer.padding_index is not None:
        layer.weight[layer.padding_index] = 0  # as PyTorch draws it
    compare(layer, np.random.default_rng(0).integers(0, 7, (20, *steps)), function)


def test_masking():
    make, shape, function = LAYERS["masking"]
    compare(build(make, shape), np.random.default_rng(0).normal(size=(4, *shape)), function)


@pytest.mark.parametrize("kind", MODULES)
def test_hundreds_of_steps(kind):
    x = np.random.default_rng(0).normal(size=(3, 300, 5))
    layer = build(functools.partial(kind, 6, return_sequences=True), (None, 5))
    compare(layer, x, functools.partial(run, kind=kind, return_sequences=True))
