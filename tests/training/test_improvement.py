import math
import re

import pytest

import minidl as dl
from minidl.training.improvement import is_better, mode_of

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "best", "mode", "min_delta", "better"),
    [
        (1.0, 2.0, "min", 0.0, True),
        (2.0, 1.0, "min", 0.0, False),
        (2.0, 1.0, "max", 0.0, True),
        (1.0, 2.0, "max", 0.0, False),
        (1.0, 1.0, "min", 0.0, False),
        (1.0, 1.0, "max", 0.0, False),
        (1.0, 2.0, "min", 1.0, False),  # by more than min_delta
        (0.75, 2.0, "min", 1.0, True),
        (2.0, 1.0, "max", 1.0, False),
        (2.25, 1.0, "max", 1.0, True),
        (5.0, NAN, "min", 9.0, True),
        (-5.0, NAN, "max", 9.0, True),
        (NAN, NAN, "min", 0.0, False),
        (NAN, 1.0, "min", 0.0, False),
        (NAN, 1.0, "max", 0.0, False),
        (math.inf, NAN, "min", 0.0, True),
        (1.0, math.inf, "min", 0.0, True),
    ],
)
def test_what_is_better(value, best, mode, min_delta, better):
    assert is_better(value, best, mode, min_delta) is better


@pytest.mark.parametrize(
    ("monitor", "mode", "found"),
    [
        ("loss", None, "min"),
        ("val_loss", None, "min"),
        ("val_accuracy", None, "max"),
        ("val_loss", "max", "max"),
        ("accuracy", "min", "min"),
        ("score", "max", "max"),
        ("score", "min", "min"),
        ("val_r2_score", None, "max"),
        ("mean_absolute_error", None, "min"),
    ],
)
def test_the_name_tells_what_is_better(monitor, mode, found):
    assert mode_of("Somebody", monitor, mode) == found


@pytest.mark.parametrize("kind", [dl.EarlyStopping, dl.ReduceOnPlateau])
def test_who_watches_needs_to_know_what_is_better(kind):
    who = kind.__name__
    with pytest.raises(dl.ArgumentError, match=f"{who}: say whether 'score' should be small or"):
        kind("score")
    with pytest.raises(dl.ArgumentError, match=f"{who}: mode must be 'min' or 'max', got 'up'"):
        kind(mode="up")


@pytest.mark.parametrize("kind", [dl.EarlyStopping, dl.ReduceOnPlateau])
@pytest.mark.parametrize("monitor", [dl.SGD(0.5), 10, None])
@pytest.mark.parametrize("mode", [None, "min"])
def test_who_watches_needs_a_name(kind, monitor, mode):
    message = f"{kind.__name__}: monitor must be a name in the history, such as 'val_loss', got "
    with pytest.raises(dl.ArgumentTypeError, match=re.escape(f"{message}{monitor!r}.")):
        kind(monitor, mode=mode)


@pytest.mark.parametrize("kind", [dl.EarlyStopping, dl.ReduceOnPlateau])
def test_who_watches_needs_what_is_measured(kind):
    model = dl.Dense(1).build((1,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1), callbacks=[kind()])
    message = f"{kind.__name__}: 'val_loss' is not measured, only loss, seconds. Values named val_"
    with pytest.raises(dl.ArgumentError, match=re.escape(message)):
        trainer.fit([[1.0]], [[1.0]], epochs=1)
    assert trainer.step == 0
