"""Training that diverges ends, and goes back to the last good epoch."""

import numpy as np
import pytest

import minidl as dl

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


def trainer(*callbacks, diverges_at=5):
    """The learning rate is far too high from a step on; an epoch has two."""
    layers = [dl.Dense(4), dl.BatchNorm(), dl.Dense(1)]
    model = dl.Sequential(layers).build((3,), rng=0)
    optimizer = dl.SGD(lambda step: 1e35 if step >= diverges_at else 0.01)
    return dl.Trainer(model, dl.MeanSquaredError(), optimizer, callbacks=callbacks, rng=0)


class Keep(dl.Callback):
    def __init__(self):
        self.kept = []

    def on_fit_begin(self, trainer):
        self.on_epoch_end(trainer)

    def on_epoch_end(self, trainer):
        self.kept.append((trainer.model.params.copy(), trainer.model.state.copy()))


@pytest.mark.parametrize(
    ("diverges_at", "epochs", "good", "when"),
    [
        (0, 0, 0, "before the first epoch"),
        (2, 1, 1, "the end of epoch 1"),
        (4, 2, 2, "the end of epoch 2"),
    ],
)
def test_it_goes_back_to_the_last_good_epoch(diverges_at, epochs, good, when):
    keep = Keep()
    run = trainer(keep, dl.StopOnNaN(), diverges_at=diverges_at)
    history = run.fit(X, Y, epochs=9)
    assert (run.epoch, history.epochs) == (epochs, epochs)
    np.testing.assert_array_equal(run.model.params, keep.kept[good][0])
    np.testing.assert_array_equal(run.model.state, keep.kept[good][1])
    first, *others, last = history.stopped.splitlines()
    assert first.startswith("Trainer: the loss or its gradient stopped being finite in epoch ")
    assert last == f"Parameters and state are those from {when}."
    assert "This step has changed no parameter." not in others


def test_parameters_that_overflow_in_the_last_step_of_an_epoch_are_not_good():
    class Overflows(dl.Callback):
        def on_batch_end(self, trainer, loss):
            if trainer.step == 4:
                trainer.model.params[3] = np.inf

    keep = Keep()
    run = trainer(Overflows(), keep, dl.StopOnNaN(), diverges_at=99)
    stopped = run.fit(X, Y, epochs=9).stopped
    assert (run.epoch, run.history.epochs, len(keep.kept)) == (1, 1, 2)
    assert stopped.startswith("Trainer: after the last step of epoch 2 (step 4), parameters are ")
    assert "itself, which has infinity." in stopped
    assert stopped.endswith("those from the end of epoch 1.")
    np.testing.assert_array_equal(run.model.params, keep.kept[1][0])


def test_validation_that_is_not_finite_stops_too():
    run = trainer(Keep(), dl.StopOnNaN(), diverges_at=99)
    history = run.fit(X, Y, epochs=3, validation_data=(X, Y * 1e30))
    assert history.stopped.startswith("validation_data: the loss is inf, although")
    np.testing.assert_array_equal(run.model.params, run.callbacks[0].kept[0][0])
    assert run.epoch == 0


def test_without_it_the_error_is_raised_also_where_training_was_to_stop():
    class Stop(dl.Callback):
        def on_batch_end(self, trainer, loss):
            trainer.stop("enough")

    run = trainer(Stop(), diverges_at=0)
    with pytest.raises(dl.DivergenceError, match="stopped being finite"):
        run.fit(X, Y, epochs=9)
    assert run.history.stopped == ""
    run = trainer(Stop(), dl.StopOnNaN(), diverges_at=0)
    assert run.fit(X, Y, epochs=9).stopped.startswith("Trainer: the loss")


def test_ctrl_c_keeps_the_last_step():
    steps = []

    class Interrupts(dl.Callback):
        def on_batch_end(self, trainer, loss):
            steps.append(trainer.model.params.copy())
            if trainer.step == 3:
                raise KeyboardInterrupt

    run = trainer(Interrupts(), dl.StopOnNaN(), diverges_at=99)
    assert run.fit(X, Y, epochs=9).stopped == "interrupted in epoch 2"
    np.testing.assert_array_equal(run.model.params, steps[-1])


def test_wrong_data_is_still_an_error():
    x = X.copy()
    x[4] = np.nan
    with pytest.raises(dl.DataError, match="x has NaN in row 4"):
        trainer(dl.StopOnNaN()).fit(x, Y, epochs=9)


def test_a_run_that_goes_well_is_left_alone_and_nothing_is_kept():
    stop, plain = dl.StopOnNaN(), trainer(diverges_at=99)
    plain.fit(X, Y, epochs=2)
    run = trainer(stop, diverges_at=99)
    run.fit(X, Y, epochs=2)
    np.testing.assert_array_equal(run.model.params, plain.model.params)
    assert stop._good is None
    run.model.params *= np.nan  # there is nothing good to go back to
    assert "Parameters and state" not in run.fit(X, Y, epochs=2).stopped
    assert run.model.params.size
    run.model.params = plain.model.params
    assert run.fit(X, Y, epochs=2).stopped == ""
