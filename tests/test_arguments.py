"""Arguments of constructors: what is neither here nor there is refused where it is given."""

import inspect
import re

import numpy as np
import pytest

import minidl as dl
from minidl.arguments import flag, whole_number

NEEDED = {  # arguments without a default, and those that a flag asks for
    "units": 3,
    "filters": 4,
    "kernel_size": 3,
    "heads": 2,
    "learning_rate": 0.1,
    "momentum": 0.9,
}


def flags():
    """Every flag of a public class: the class, its name, and the other arguments."""
    for public in dl.__all__:
        kind = getattr(dl, public)
        if not inspect.isclass(kind) or issubclass(kind, Exception | dl.ParameterSpec):
            continue
        parameters = inspect.signature(kind).parameters
        for name, parameter in parameters.items():
            if isinstance(parameter.default, bool):
                yield kind, name, {n: v for n, v in NEEDED.items() if n in parameters}


@pytest.mark.parametrize(("kind", "name", "others"), list(flags()), ids=str)
@pytest.mark.parametrize("value", ["none", 1, None, 0.0])
def test_only_true_and_false_are_flags(kind, name, others, value):
    message = rf"{kind.__name__}: {name} must be True or False, got {value!r}\."
    with pytest.raises(dl.ArgumentError, match=message):
        kind(**others, **{name: value})
    for allowed in (True, False, np.True_, np.False_):
        assert getattr(kind(**others, **{name: allowed}), name) is bool(allowed)


def test_flags_are_found():
    found = {(kind.__name__, name) for kind, name, _ in flags()}
    assert {("Dense", "use_bias"), ("SGD", "nesterov"), ("ProgressBar", "enabled")} <= found
    assert len(found) >= 13


def test_flags_of_functions():
    x, y = np.zeros((6, 4), np.float32), np.array([0, 1, 0, 1, 0, 1])
    model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((4,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1))
    with pytest.raises(dl.ArgumentError, match=r"fit: shuffle must be True or False, got 'no'\."):
        trainer.fit(x, y, epochs=1, shuffle="no")
    with pytest.raises(dl.ArgumentError, match="batches: shuffle must be True or False, got 'no'"):
        dl.batches(x, y, batch_size=2, shuffle="no")


def test_a_flag_is_a_python_bool():
    assert flag("here", "there", np.True_) is True
    assert flag("here", "there", np.False_) is False


@pytest.mark.parametrize(
    ("value", "end"),
    [
        (1e4, "got 10000.0. It is a float: write 10000, or divide with //."),
        (np.float32(2), "got np.float32(2.0). It is a float: write 2, or divide with //."),
        (1.0, "got 1.0."),  # too small as well
        (2.5, "got 2.5."),
        (np.inf, "got inf."),
        (1, "got 1."),
        (True, "got True."),
        ("3", "got '3'."),
    ],
)
def test_a_float_that_is_whole_is_explained(value, end):
    message = re.escape(f"who: what must be a whole number of at least 2, {end}") + "$"
    with pytest.raises(dl.ArgumentError, match=message):
        whole_number("who", "what", value, 2)
