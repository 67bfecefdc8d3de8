"""Keras's recurrent layers as minidl's."""

from __future__ import annotations

import numpy as np

from minidl import layers as kinds
from minidl.containers import Bidirectional
from minidl.converters.keras_place import Copy, KerasPlace
from minidl.layers.recurrent import Recurrent
from minidl.typing import Array

KINDS: dict[str, type[Recurrent]] = {
    "GRU": kinds.GRU,
    "LSTM": kinds.LSTM,
    "SimpleRNN": kinds.SimpleRNN,
}
NAMES = {"weight": "kernel", "recurrent_weight": "recurrent_kernel", "bias": "bias"}


def recurrent(at: KerasPlace) -> Copy:
    """`LSTM`, `GRU` or `SimpleRNN`."""
    at.only(go_backwards=False, zero_output_for_mask=False)
    layer = _layer(at)
    return Copy([layer], [(layer, _arrays(at))])


def bidirectional(at: KerasPlace) -> Copy:
    """`Bidirectional`, whose two outputs stand side by side."""
    at.only(merge_mode="concat")
    ahead, back = (
        KerasPlace(layer, at.shape) for layer in (at.layer.forward_layer, at.layer.backward_layer)
    )
    ahead.only(go_backwards=False)
    back.only(go_backwards=True)
    one, other = _layer(ahead), _layer(back)
    if repr(one) != repr(other):
        raise at.refusal(f"its two layers, {one} and {other}, differ")
    both = Bidirectional(one)
    return Copy([both], [(both.layer, _arrays(ahead)), (both.backward_layer, _arrays(back))])


def _layer(at: KerasPlace) -> Recurrent:
    if at.kind not in KINDS:
        raise at.refusal("it is not a recurrent layer that minidl has")
    at.only(activation="tanh", recurrent_activation="sigmoid", dropout=0.0, recurrent_dropout=0.0)
    at.only(return_state=False, stateful=False, reset_after=True)
    return KINDS[at.kind](
        at.options["units"],
        return_sequences=at.options["return_sequences"],
        weight_penalty=at.penalty("kernel_regularizer", "recurrent_regularizer"),
    )


def _arrays(at: KerasPlace) -> dict[str, Array]:
    theirs = at.arrays
    own = {mine: theirs[name] for mine, name in NAMES.items() if name in theirs}
    if "bias" not in own:
        own["bias"] = np.zeros(own["weight"].shape[1])  # an LSTM's are not all 0 at first
    elif at.kind == "GRU":
        own["bias"], own["recurrent_bias"] = own["bias"]
    return {name: _gates(a) for name, a in own.items()} if at.kind == "GRU" else own


def _gates(a: Array) -> Array:
    """A GRU's gates in the order r, z, n, of z, r, n."""
    z, r, n = np.split(a, 3, axis=-1)
    return np.concatenate([r, z, n], axis=-1)
