"""A callback that raises does not lose the run."""

import copy

import numpy as np
import pytest

import minidl as dl

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


def trainer(*callbacks, **options):
    layers = [dl.Dense(4), dl.Dropout(0.2), dl.BatchNorm(), dl.Dense(1)]
    model = dl.Sequential(layers).build((3,), rng=0)
    optimizer = dl.SGD(0.01, momentum=0.9)
    return dl.Trainer(
        model, dl.MeanSquaredError(), optimizer, callbacks=callbacks, rng=0, **options
    )


class Pruned(Exception):  # noqa: N818 (as a search would name it)
    pass


class Raises(dl.Callback):
    """Raises in one hook, once, in one epoch."""

    def __init__(self, hook, epoch=0, error=None):
        def run(trainer, *arguments):
            if trainer.epoch == epoch:
                raise error or Pruned("enough")

        setattr(self, hook, run)


class Log(dl.Callback):
    def __init__(self):
        self.calls = []

    def on_fit_begin(self, trainer):
        self.calls.append("fit_begin")

    def on_epoch_begin(self, trainer):
        self.calls.append(f"epoch_begin {trainer.epoch}")

    def on_batch_end(self, trainer, loss):
        self.calls.append(f"batch {trainer.step}")

    def on_validation_begin(self, trainer):
        self.calls.append(f"validation {trainer.epoch}")

    def on_epoch_end(self, trainer):
        self.calls.append(f"epoch_end {trainer.epoch}")

    def on_fit_end(self, trainer):
        self.calls.append("fit_end")


FIRST = ["fit_begin", "epoch_begin 0", "batch 1", "batch 2", "validation 0", "epoch_end 1"]


@pytest.mark.parametrize(
    ("hook", "epoch", "calls", "note"),
    [
        ("on_fit_begin", 0, ["fit_begin", "fit_end"], "on_fit_begin before the first batch"),
        ("on_epoch_begin", 0, [*FIRST[:2], "fit_end"], "on_epoch_begin in epoch 1 after step 0."),
        ("on_batch_end", 0, [*FIRST[:3], "fit_end"], "on_batch_end in epoch 1 after step 1."),
        ("on_validation_begin", 0, [*FIRST[:5], "fit_end"], "begin in epoch 1 after step 2."),
        ("on_epoch_end", 1, [*FIRST, "fit_end"], "on_epoch_end after epoch 1, which is complete"),
    ],
)
def test_all_callbacks_get_the_call_that_one_raised_in(hook, epoch, calls, note):
    before, after = Log(), Log()
    run = trainer(before, Raises(hook, epoch), after)
    with pytest.raises(Pruned, match="enough") as caught:
        run.fit(X, Y, epochs=3)
    assert before.calls == calls
    assert after.calls == ([] if hook == "on_fit_begin" else calls)
    assert len(caught.value.__notes__) == 1
    assert caught.value.__notes__[0].startswith("raised by Raises.on_")
    assert note in caught.value.__notes__[0]


def test_the_note_says_how_to_go_on():
    run = trainer(Raises("on_epoch_end", 2))
    with pytest.raises(Pruned, match="enough") as caught:
        run.fit(X, Y, epochs=5)
    assert caught.value.__notes__ == [
        "raised by Raises.on_epoch_end after epoch 2, which is complete and in the history. "
        "trainer.fit(..., epochs=3) goes on from there."
    ]
    run = trainer(Raises("on_batch_end", 1))
    with pytest.raises(Pruned, match="enough") as caught:
        run.fit(X, Y, epochs=5)
    assert caught.value.__notes__ == [
        "raised by Raises.on_batch_end in epoch 2 after step 3. The model keeps that step; the "
        "epoch is not complete and not in the history. trainer.fit(..., epochs=4) goes on from "
        "there."
    ]
    run = trainer(Raises("on_epoch_end", 2))
    with pytest.raises(Pruned, match="enough") as caught:
        run.fit(X, Y, epochs=2)
    assert caught.value.__notes__[0].endswith("complete and in the history.")


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_fit_end"])
def test_going_on_gives_the_bits_of_a_run_without_the_error(hook):
    whole, run = trainer(), trainer(Raises(hook, 2))
    whole.fit(X, Y, epochs=5, batch_size=16)
    with pytest.raises(Pruned, match="enough"):
        run.fit(X, Y, epochs=2 if hook == "on_fit_end" else 5, batch_size=16)
    assert (run.epoch, run.history.epochs, run.step) == (2, 2, 8)
    run.callbacks = []
    run.fit(X, Y, epochs=3, batch_size=16)
    np.testing.assert_array_equal(run.model.params, whole.model.params)
    np.testing.assert_array_equal(run.model.state, whole.model.state)
    assert run.history["loss"].tolist() == whole.history["loss"].tolist()


def test_an_error_after_a_batch_keeps_its_step():
    steps = []
    run = trainer(Raises("on_batch_end"))
    watch = dl.Callback()
    watch.on_batch_end = lambda trainer, loss: steps.append(trainer.model.params.copy())
    run.callbacks.append(watch)
    with pytest.raises(Pruned, match="enough"):
        run.fit(X, Y, epochs=3)
    np.testing.assert_array_equal(run.model.params, steps[-1])
    assert (run.epoch, run.history.epochs, run.step, len(steps)) == (0, 0, 1, 1)
    run.callbacks = []
    assert run.fit(X, Y, epochs=2).epochs == 2


def test_the_best_values_are_restored_although_a_callback_raises():
    stopping = dl.EarlyStopping("loss")
    kept = {}
    keep = dl.Callback()
    keep.on_epoch_end = lambda trainer: kept.update({trainer.epoch: trainer.model.params.copy()})
    run = trainer(stopping, keep, Raises("on_epoch_end", 3))
    run.optimizer.learning_rate = lambda step: [0.01, 0.01, 0.01, 0.01, 9.0, 9.0][step]
    with pytest.raises(Pruned, match="enough"):
        run.fit(X, Y, epochs=9)
    assert stopping.best_epoch < 3
    np.testing.assert_array_equal(run.model.params, kept[stopping.best_epoch])


def test_of_several_errors_the_first_is_raised_and_the_others_are_noted():
    log = Log()
    callbacks = [
        Raises("on_epoch_end", 1, OSError("disk full")),
        Raises("on_epoch_end", 1),
        Raises("on_fit_end", 1, ValueError("at the end")),
        log,
    ]
    with pytest.raises(OSError, match="disk full") as caught:
        trainer(*callbacks).fit(X, Y, epochs=3)
    first, *others = caught.value.__notes__
    assert first.startswith("raised by Raises.on_epoch_end after epoch 1")
    assert others == [
        "Raises.on_epoch_end raised as well: Pruned: enough",
        "Raises.on_fit_end raised as well: ValueError: at the end",
    ]
    assert log.calls == [*FIRST, "fit_end"]


def test_an_error_of_training_goes_before_those_of_the_end():
    x = X.copy()
    x[5] = np.nan
    with pytest.raises(dl.DataError, match="x has NaN in row 5") as caught:
        trainer(Raises("on_fit_end")).fit(x, Y, epochs=3)
    assert caught.value.__notes__ == ["Raises.on_fit_end raised as well: Pruned: enough"]


def test_ctrl_c_in_a_callback_does_not_hide_the_error_of_another():
    log = Log()
    interrupt = Raises("on_epoch_end", 1, KeyboardInterrupt())
    with pytest.raises(Pruned, match="enough"):
        trainer(interrupt, Raises("on_epoch_end", 1), log).fit(X, Y, epochs=3)
    assert log.calls == [*FIRST, "fit_end"]
    run = trainer(copy.copy(interrupt))
    assert run.fit(X, Y, epochs=3).stopped == "interrupted in epoch 2"
    assert run.history.epochs == 1


def test_callbacks_end_in_the_order_in_which_they_begin():
    order = []
    callbacks = [dl.Callback(), dl.Callback()]
    for name, callback in zip("ab", callbacks, strict=True):
        callback.on_fit_begin = lambda trainer, name=name: order.append(f"{name} begins")
        callback.on_fit_end = lambda trainer, name=name: order.append(f"{name} ends")
    trainer(*callbacks).fit(X, Y, epochs=1)
    assert order == ["a begins", "b begins", "a ends", "b ends"]


def test_only_hooks_that_are_written_are_called():
    calls = []

    class Counts(dl.Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                calls.append(name)
            return super().__getattribute__(name)

    trainer(Counts()).fit(X, Y, epochs=1, batch_size=1)
    assert calls.count("on_batch_end") == 1  # to see that there is none


def test_a_stop_at_once_ends_the_epoch_with_the_batch_and_counts_it():
    log = Log()

    class Stop(dl.Callback):
        def on_batch_end(self, trainer, loss):
            if trainer.step == 3:
                trainer.stop("now", at_once=True)

    class StopsToo(dl.Callback):
        def on_batch_end(self, trainer, loss):
            if trainer.step == 3:
                trainer.stop("later")

    run = trainer(Stop(), StopsToo(), log)
    history = run.fit(X, Y, epochs=9, validation_data=(X, Y))
    assert (run.epoch, run.step, history.epochs, history.stopped) == (2, 3, 2, "later")
    assert log.calls[-4:] == ["batch 3", "validation 1", "epoch_end 2", "fit_end"]
    assert np.isfinite(history["val_loss"]).all()
    run.callbacks = []
    run.fit(X, Y, epochs=1)  # goes on with whole epochs
    assert run.step == 5
    with pytest.raises(dl.ArgumentError, match="stop: at_once must be True or False, got 'yes'"):
        run.stop("now", at_once="yes")


def test_extra_values_come_into_the_history():
    class Extra(dl.Callback):
        def on_batch_end(self, trainer, loss):
            if trainer.epoch == 1:
                trainer.extra_values["last_loss"] = loss

    history = trainer(Extra()).fit(X, Y, epochs=3)
    assert list(history) == ["loss", "seconds", "last_loss"]
    assert np.isfinite(history["last_loss"]).tolist() == [False, True, False]


@pytest.mark.parametrize("error", [KeyboardInterrupt("now"), SystemExit("now")], ids=repr)
def test_ctrl_c_before_the_first_batch_is_ctrl_c(error):
    log = Log()
    with pytest.raises(type(error), match="now") as caught:
        trainer(log, Raises("on_fit_begin", 0, error)).fit(X, Y, epochs=3)
    assert caught.value is error
    assert log.calls == ["fit_begin", "fit_end"]
