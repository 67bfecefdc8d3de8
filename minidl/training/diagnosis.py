"""Why a loss or its gradient is not finite: found out only once it has happened."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DivergenceError
from minidl.finiteness import is_finite, raise_for_non_finite
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.objective import Objective
from minidl.reading import MappedRows
from minidl.sparse import is_sparse
from minidl.training.repeatable import RepeatablePass
from minidl.training.rerun import Origin, origin_of
from minidl.training.sources import ArraySource, Batch
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

LARGE = 1e3  # what is larger is part of the trouble
CLIPPING = "; clip_norm=1.0 in the optimizer"
AT_THE_START = "smaller initial values, such as HeNormal(); check_layer for layers of your own"
FIXES = {  # the function that NumPy warns of: what helps where it is in a formula of one's own
    "exp": "bound the argument of exp, or subtract the largest one first: exp(89) is infinite in "
    "float32",
    "log": "keep the argument of the logarithm above 0, as in np.log(np.maximum(a, 1e-7))",
    "sqrt": "keep the argument of the square root at 0 or above: np.sqrt(np.maximum(a, 0))",
    "divide": "add a small number, such as 1e-7, to what is divided by: it is 0 or nearly so",
    "power": "keep what is raised to a negative power, as in the derivative of a root, above 0",
}


def raise_for_bad_step(
    trainer: Trainer, batch: Batch, loss: float, number: int, this_pass: RepeatablePass
) -> None:
    """Raise the error that names the cause; state and generators are put back.

    Args:
        trainer: What trained.
        batch: The batch.
        loss: Its loss.
        number: Its number in the epoch, from 1.
        this_pass: The pass that it was found in.
    """
    gradient = _largest(trainer.model, gradients=True)  # before another pass overwrites it
    this_pass.put_back()
    _raise_for_bad_input(batch)
    origin = _broken_value(trainer.model)
    if origin is None:
        origin = origin_of(trainer.objective, batch, this_pass.number)
        this_pass.put_back()
    rate = trainer.optimizer.current_learning_rate()
    smaller = min(rate / 10, 0.1)
    advice = _smaller_steps(trainer, f", such as {smaller:g} instead of {rate:g}" if rate else "")
    if not trainer.step:
        advice = AT_THE_START
    advice = "; ".join([*_penalties_too_strong(trainer.objective, smaller), advice])
    raise DivergenceError(
        f"Trainer: the loss or its gradient stopped being finite in epoch {trainer.epoch + 1}, "
        f"batch {number} (step {trainer.step + 1}), although x and y are finite. The loss is "
        f"{loss:g}.\n{_origin_text(origin, batch)}\n"
        f"Largest parameter: {_largest(trainer.model)}.\n"
        f"Largest gradient: {gradient}{_norm_before(this_pass)}.\n"
        f"What helps: {'; '.join(_fixes(trainer, batch, origin, advice))}.\n"
        "This step has changed no parameter."
    )


def raise_for_bad_parameters(trainer: Trainer, batch: Batch) -> None:
    """Raise the error for parameters that the last step of an epoch, with `batch`, has spoiled."""
    origin = _broken_value(trainer.model)
    raise DivergenceError(
        f"Trainer: after the last step of epoch {trainer.epoch + 1} (step {trainer.step}), "
        "parameters are not finite, although the loss and its gradient were.\n"
        f"{_origin_text(origin, batch)}\n"
        f"Largest gradient: {_largest(trainer.model, gradients=True)}.\n"
        f"What helps: {'; '.join(_fixes(trainer, batch, origin, _smaller_steps(trainer)))}."
    )


def raise_for_bad_evaluation(trainer: Trainer, batch: Batch, loss: float) -> None:
    """Raise the error for data or parameters with which the loss cannot be computed."""
    _raise_for_bad_input(batch)
    origin = _broken_value(trainer.model) or origin_of(trainer.objective, batch)
    advice = f"training anew with {_smaller_steps(trainer)}"
    raise DivergenceError(
        f"{batch.source.name}: the loss is {loss:g}, although x and y are finite.\n"
        f"{_origin_text(origin, batch)}\nLargest parameter: {_largest(trainer.model)}.\n"
        f"What helps: {'; '.join(_fixes(trainer, batch, origin, advice))}."
    )


def raise_for_bad_start(trainer: Trainer, batch: Batch, loss: float) -> None:
    """Raise the error for parameters that a solver cannot begin with; they and the state stay."""
    _raise_for_bad_input(batch)
    model = trainer.model
    origin = _broken_value(model)
    if origin is None:
        with model.preserved():
            origin = origin_of(trainer.objective, batch, model._chunked_passes)
    raise DivergenceError(
        f"{batch.source.name}: the loss or its gradient is not finite at the first parameters, "
        f"although x and y are. The loss is {loss:g}.\n"
        f"{_origin_text(origin, batch)}\nLargest parameter: {_largest(model)}.\n"
        f"What helps: {'; '.join(_fixes(trainer, batch, origin, AT_THE_START))}."
    )


def find_non_finite(
    model: Layer,
    loss: Loss,
    x: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> str:
    """Say where a training pass stops being finite, for loops by hand; `fit` does so by itself.

    The pass is run layer by layer; parameters, state and generators are as before afterwards. A
    random layer draws what it would draw next, so call this before or instead of the pass that it
    is about, not after it.

    Args:
        model: A built layer.
        loss: The loss; an instance.
        x: Input (N, *input_shape).
        y: Targets, as the loss takes them.
        sample_weight: A weight for each row (N,).

    Returns:
        The first parameter or result that is not finite, with NumPy's warning and the rows; an
        empty string if there is none.

    Raises:
        DataError: If `x` has NaN or infinity.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((3,), rng=0)
        >>> x, y = np.ones((4, 3), np.float32), np.array([0, 1, 0, 1])
        >>> find_non_finite(model, dl.CrossEntropy(), x, y)
        ''
        >>> model.layers[0].weight[0, 0] = np.nan
        >>> find_non_finite(model, dl.CrossEntropy(), x, y)
        'Origin: weight of Dense(2) in layer 0 of Sequential itself, which has NaN.'
    """
    objective = Objective(model, loss)
    source = ArraySource(objective, x, y, sample_weight, "find_non_finite")
    (batch,) = source.batches(len(source), None)
    _raise_for_bad_input(batch)
    origin = _broken_value(model)
    if origin is None:
        with model.preserved():
            origin = origin_of(objective, batch, model._chunked_passes)
    return _origin_text(origin, batch) if origin else ""


def _raise_for_bad_input(batch: Batch) -> None:
    raise_for_non_finite(batch.x, f"{batch.source.name}: x", batch.source.row_numbers(batch))


def _broken_value(model: Layer) -> Origin | None:
    """The first parameter or state array that is not finite; what comes of it explains nothing."""
    for layer in model.walk():
        for name, values in layer._views.items():
            if not is_finite(values):
                kind = "NaN" if np.isnan(values).any() else "infinity"
                return Origin(f"{name} of {layer.where} itself, which has {kind}", broken=True)
    return None


def _origin_text(origin: Origin | None, batch: Batch) -> str:
    if origin is None:
        return (
            "Origin: not found. When the batch was run again, layer by layer, every result was "
            "finite: either a layer draws or remembers what is neither in self.rng nor in its "
            "state, or only the sum over parts of the batch is too large."
        )
    text = f"Origin: {origin.result}{f': {origin.warning}' if origin.warning else ''}"
    if origin.rows is not None:
        text += f", in {len(origin.rows)} of {origin.of_rows} rows"
        if len(origin.rows) < origin.of_rows:
            numbers = np.sort(batch.source.row_numbers(batch)[origin.rows])
            more = ", ..." if len(numbers) > 5 else ""
            text += f" (row {', '.join(map(str, numbers[:5]))}{more} of x)"
    return f"{text}."


def _smaller_steps(trainer: Trainer, example: str = "") -> str:
    optimizer = trainer.optimizer
    clipped = optimizer.clip_norm is not None or optimizer.clip_value is not None
    return f"a smaller learning rate{example}{'' if clipped else CLIPPING}"


def _penalties_too_strong(objective: Objective, learning_rate: float) -> Iterator[str]:
    """Penalties of which one step of gradient descent turns weights round, or worse."""
    for layer, name, penalty in objective.penalized:
        w = layer._views[name]
        gradient = np.zeros_like(w)
        with np.errstate(all="ignore"):
            penalty.add_gradient(w, gradient)
            change = np.abs(learning_rate * gradient).max(initial=0.0)
        if not layer.frozen and change > np.abs(w).max(initial=0.0):
            yield f"a weaker penalty than {penalty} for {name} of {layer.where}"


def _fixes(trainer: Trainer, batch: Batch, origin: Origin | None, advice: str) -> Iterator[str]:
    """What usually helps, as far as the evidence goes."""
    function = origin.warning.rpartition(" ")[2] if origin and origin.own else ""
    found = [fix for name, fix in FIXES.items() if function.startswith(name)]
    for name, values, numbers, scale in _data(batch):
        if is_sparse(values):
            entries = values.tocoo()
            values, numbers = entries.data, numbers[entries.coords[0]]
            scale = "by its standard deviation"  # Standardize would fill it
        if isinstance(values, np.ndarray) and values.size and values.dtype.kind == "f":
            place = np.unravel_index(np.nanargmax(np.abs(values)), values.shape)
            if abs(values[place]) > LARGE:
                found.append(
                    f"{name} has {values[place]:.3g} in row {numbers[place[0]]}: mend it if it is "
                    f"wrong, or scale {name}, for example {scale}"
                )
    broken = origin is not None and origin.broken
    if broken:
        found.append("assign finite values, or build the model anew")
    yield from found
    if not found or _magnitude(trainer.model.params) > LARGE or (broken and trainer.step):
        yield advice


def _data(batch: Batch) -> Iterator[tuple[str, Any, Array, str]]:
    """Inputs and targets, with row numbers: what spoils a batch can have come from one before."""
    source, x, y = batch.source, batch.x, batch.target
    if isinstance(source, ArraySource) and not isinstance(source.x, MappedRows):
        x, y, numbers = source.x, source.target, source.numbers
        numbers = np.arange(len(source)) if numbers is None else numbers
    else:
        numbers = source.row_numbers(batch)
    yield "x", x, numbers, "with Standardize() as the first layer"
    yield "y", y, numbers, "by its standard deviation"


def _largest(model: Layer, *, gradients: bool = False) -> str:
    """The largest parameter or gradient among those that are finite, and whose it is."""
    found = [
        (_magnitude(values), f"{name} of {layer.where}")
        for layer in model.walk()
        for name in layer.gradients
        for values in [layer.gradients[name] if gradients else layer._views[name]]
    ]
    size, place = max(found, default=(0.0, ""))
    return f"{size:.3g}, in {place}" if size else "none that is finite"


def _norm_before(this_pass: RepeatablePass) -> str:
    if math.isnan(this_pass.squares):
        return ""
    norm = "above 1e19" if math.isinf(this_pass.squares) else f"{math.sqrt(this_pass.squares):.3g}"
    return f"; the norm of the one before was {norm}"


def _magnitude(a: Array) -> float:
    """The largest absolute value among the finite ones."""
    return float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
