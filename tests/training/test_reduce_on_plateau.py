import re

import numpy as np
import pytest

import minidl as dl

X = np.ones((2, 1), np.float32)


class Scripted(dl.Callback):
    """Overwrites the watched value of each epoch."""

    def __init__(self, values):
        self.values = values

    def on_epoch_end(self, trainer):
        trainer.history._columns["loss"][-1] = self.values[trainer.epoch - 1]


class Rates(dl.Callback):
    def __init__(self):
        self.seen = []

    def on_epoch_end(self, trainer):
        self.seen.append(trainer.optimizer.learning_rate)


def trainer(*callbacks, rate=1.0):
    model = dl.Dense(1).build((1,), rng=0)
    return dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(rate), callbacks=callbacks, rng=0)


def rates(values, **options):
    """The learning rate at the end of every epoch."""
    seen = Rates()
    options = {"factor": 0.5, "min_delta": 0.0} | options
    run = trainer(Scripted(values), dl.ReduceOnPlateau("loss", **options), seen)
    run.fit(X, X, epochs=len(values))
    return seen.seen


def test_the_rate_falls_after_patience_epochs():
    assert rates([5, 4, 4, 4, 4, 4], patience=2) == [1, 1, 1, 0.5, 0.5, 0.25]
    assert rates([5, 4, 4, 3, 3, 3], patience=2) == [1, 1, 1, 1, 1, 0.5]
    assert rates([5, 5, 5], patience=1) == [1, 0.5, 0.25]
    assert rates([5] * 11, patience=10) == [1] * 10 + [0.5]


def test_better_is_better_than_the_best():
    assert rates([3, 5, 4, 3.5], patience=3) == [1, 1, 1, 0.5]


def test_small_gains_do_not_count():
    assert rates([5, 4.5, 4, 3.5], patience=2, min_delta=1.0) == [1, 1, 0.5, 0.5]
    assert rates([5, 4.5, 4, 3.5], patience=2) == [1, 1, 1, 1]
    assert rates([5, 4.9999, 4.9998], patience=2, min_delta=1e-4 + 1e-9) == [1, 1, 1]


def test_epochs_of_a_cooldown_are_not_counted():
    # reduced at the end of epoch 2; 3 and 4 rest, 5 is the next that counts
    assert rates([5] * 6, patience=1, cooldown=2) == [1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert rates([5] * 6, patience=2, cooldown=1) == [1, 1, 0.5, 0.5, 0.5, 0.25]


def test_a_best_value_during_a_cooldown_is_remembered():
    assert rates([5, 5, 3, 4], patience=1, cooldown=1) == [1, 0.5, 0.5, 0.25]


def test_it_stops_at_the_minimum():
    assert rates([5] * 5, patience=1, minimum=0.2) == [1, 0.5, 0.25, 0.2, 0.2]
    assert rates([5] * 3, patience=1, minimum=4.0) == [1, 1, 1]  # and never raises the rate


def test_a_rate_below_all_numbers_is_none():
    assert rates([5] * 4, patience=1, factor=1e-200) == [1, 1e-200, 1e-200, 1e-200]


def test_mode_max():
    assert rates([1, 2, 3, 2, 3], patience=2, mode="max") == [1, 1, 1, 1, 0.5]


def test_nan_is_no_improvement():
    assert rates([np.nan, 5, np.nan, np.nan], patience=2) == [1, 1, 1, 0.5]
    assert rates([np.nan, np.nan], patience=1) == [0.5, 0.25]


def test_a_new_fit_counts_anew_from_the_rate_reached():
    seen, reduce = Rates(), dl.ReduceOnPlateau("loss", patience=2, factor=0.5, min_delta=0.0)
    run = trainer(Scripted([5, 5, 5, 5, 9, 9]), reduce, seen)
    run.fit(X, X, epochs=4)
    run.fit(X, X, epochs=2)
    assert seen.seen == [1, 1, 0.5, 0.5, 0.5, 0.5]
    assert reduce.best == 9


def test_a_rest_does_not_reach_into_a_new_fit():
    seen, reduce = Rates(), dl.ReduceOnPlateau("loss", patience=1, factor=0.5, cooldown=5)
    run = trainer(Scripted([5] * 5), reduce, seen)
    run.fit(X, X, epochs=2)
    run.fit(X, X, epochs=2)
    assert seen.seen == [1, 0.5, 0.5, 0.25]


def test_defaults():
    reduce = dl.ReduceOnPlateau()
    assert (
        vars(reduce).items()
        >= {
            "monitor": "val_loss",
            "mode": "min",
            "factor": 0.1,
            "patience": 10,
            "min_delta": 1e-4,
            "cooldown": 0,
            "minimum": 0.0,
        }.items()
    )


def test_a_schedule_is_refused():
    run = trainer(dl.ReduceOnPlateau("loss"), rate=dl.CosineDecay(0.1, steps=10))
    message = "ReduceOnPlateau: needs an optimizer whose learning rate is a number, got SGD(Cosine"
    with pytest.raises(dl.ArgumentError, match=re.escape(message)):
        run.fit(X, X, epochs=1)
    assert run.step == 0


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("factor", 1.0, "a number in [0, 1), got 1.0"),
        ("factor", 0, "above 0, got 0"),
        ("patience", 0, "a whole number of at least 1, got 0"),
        ("min_delta", -1.0, "a number in [0, inf), got -1.0"),
        ("cooldown", -1, "a whole number of at least 0, got -1"),
        ("minimum", -1.0, "a number in [0, inf), got -1.0"),
    ],
)
def test_wrong_options_are_explained(option, value, message):
    message = re.escape(f"ReduceOnPlateau: {option} must be {message}")
    with pytest.raises(dl.ArgumentError, match=message):
        dl.ReduceOnPlateau(**{option: value})
