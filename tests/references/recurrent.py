"""Recurrent layers one sequence, one step and one gate at a time."""

import numpy as np
from scipy.special import expit


def simple_rnn_step(layer, x, state):
    (h,) = state
    return (np.tanh(x @ layer.weight + h @ layer.recurrent_weight + layer.bias),)


def lstm_step(layer, x, state):
    h, c = state
    i, f, g, o = np.split(x @ layer.weight + h @ layer.recurrent_weight + layer.bias, 4)
    c = expit(f) * c + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c), c


def gru_step(layer, x, state):
    (h,) = state
    xr, xz, xn = np.split(x @ layer.weight + layer.bias, 3)
    hr, hz, hn = np.split(h @ layer.recurrent_weight + layer.recurrent_bias, 3)
    r, z = expit(xr + hr), expit(xz + hz)
    n = np.tanh(xn + r * hn)
    return ((1 - z) * n + z * h,)


STEPS = {
    "SimpleRNN": (simple_rnn_step, 1),
    "LSTM": (lstm_step, 2),
    "GRU": (gru_step, 1),
}


def states_of(layer, sequence, counts):
    """The state h after every step of one sequence; steps that do not count change nothing."""
    step, arrays = STEPS[type(layer).__name__]
    state, states = (np.zeros(layer.units),) * arrays, []
    for x, counted in zip(sequence, counts, strict=True):
        state = step(layer, x, state) if counted else state
        states.append(state[0])
    return np.array(states)


def recurrent(layer, x, mask=None):
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    states = np.array([states_of(layer, *pair) for pair in zip(x, mask, strict=True)])
    return states if layer.return_sequences else states[:, -1]


def bidirectional(container, x, mask=None):
    ahead = recurrent(container.layer, x, mask)
    back = recurrent(
        container.backward_layer, np.flip(x, 1), None if mask is None else np.flip(mask, 1)
    )
    if container.layer.return_sequences:
        back = np.flip(back, 1)
    return np.concatenate([ahead, back], axis=-1)


def embedding(layer, x):
    """The product with one-hot rows, which are all zeros for padding."""
    one_hot = (x[..., np.newaxis] == np.arange(layer.vocabulary_size)).astype(layer.dtype)
    if layer.padding_index is not None:
        one_hot[..., layer.padding_index] = 0
    return one_hot @ layer.weight


def words_of_different_lengths(rng, n):
    """Sentences of 4 words out of 1 to 5, filled up with 0; a hole in the first one."""
    words = rng.integers(1, 6, (n, 4))
    words[np.arange(4) >= rng.integers(0, 5, (n, 1))] = 0
    words[0] = [3, 0, 1, 2]
    return words


def padded_words(model, x):
    first, second = model.layers
    function = bidirectional if hasattr(second, "backward_layer") else recurrent
    return function(second, embedding(first, x), x != 0)
