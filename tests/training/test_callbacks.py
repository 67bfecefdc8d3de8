"""Callbacks: order of hooks, stopping, the progress bar, Ctrl-C."""

import re
import sys

import numpy as np
import pytest

import minidl as dl
from minidl.training import progress_bar

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


def trainer(*callbacks, **options):
    model = dl.Dense(1).build((3,), rng=0)
    return dl.Trainer(
        model, dl.MeanSquaredError(), dl.SGD(0.01), callbacks=callbacks, rng=0, **options
    )


class Log(dl.Callback):
    def __init__(self):
        self.calls = []

    def on_fit_begin(self, trainer):
        self.calls.append("fit_begin")

    def on_epoch_begin(self, trainer):
        self.calls.append(f"epoch_begin {trainer.epoch}")

    def on_batch_end(self, trainer, loss):
        self.calls.append(f"batch {trainer.step}")

    def on_epoch_end(self, trainer):
        self.calls.append(f"epoch_end {trainer.epoch} {trainer.history.epochs}")

    def on_fit_end(self, trainer):
        self.calls.append("fit_end")


def test_hooks_come_in_order():
    log = Log()
    trainer(log).fit(X, Y, epochs=2)
    assert log.calls == [
        "fit_begin",
        *["epoch_begin 0", "batch 1", "batch 2", "epoch_end 1 1"],
        *["epoch_begin 1", "batch 3", "batch 4", "epoch_end 2 2"],
        "fit_end",
    ]


def test_any_callback_can_stop_training():
    class Stop(dl.Callback):
        def on_epoch_end(self, trainer):
            if trainer.epoch == 2:
                trainer.stop("enough")

    run = trainer(Stop())
    history = run.fit(X, Y, epochs=10)
    assert history.epochs == 2
    assert history.stopped == "enough"
    run.callbacks = []
    assert run.fit(X, Y, epochs=1).stopped == ""
    assert run.epoch == 3


def test_ctrl_c_keeps_model_and_history():
    class Interrupt(dl.Callback):
        def on_batch_end(self, trainer, loss):
            if trainer.step == 5:
                raise KeyboardInterrupt

    log = Log()
    run = trainer(Interrupt(), log)
    history = run.fit(X, Y, epochs=10)
    assert history.epochs == 2
    assert history.stopped == "interrupted in epoch 3"
    assert log.calls[-1] == "fit_end"
    run.callbacks = []
    run.fit(X, Y, epochs=1)  # and goes on
    assert run.epoch == 3


def test_an_error_in_a_callback_ends_the_run_and_calls_fit_end():
    class Breaks(dl.Callback):
        def on_epoch_end(self, trainer):
            raise RuntimeError("disk full")

    log = Log()
    run = trainer(log, Breaks())
    with pytest.raises(RuntimeError, match="disk full"):
        run.fit(X, Y, epochs=3)
    assert log.calls[-1] == "fit_end"
    assert run.history.epochs == 1


class Scripted(dl.Callback):
    """Overwrites the watched value of each epoch, and marks the parameters and the state."""

    def __init__(self, name, values):
        self.name, self.values = name, values

    def on_epoch_end(self, trainer):
        trainer.history._columns[self.name][-1] = self.values[trainer.epoch - 1]
        trainer.model.params = np.full_like(trainer.model.params, trainer.epoch)


@pytest.mark.parametrize(
    ("options", "values", "epochs", "best_epoch"),
    [
        ({"monitor": "loss", "patience": 2}, [5, 3, 4, 3.5, 1, 1], 4, 2),
        ({"monitor": "loss", "patience": 3}, [5, 3, 4, 3.5, 1, 1], 6, 5),
        ({"monitor": "loss", "patience": 1}, [5, 4, 3, 2, 1, 0], 6, 6),
        ({"monitor": "loss", "patience": 1, "min_delta": 1.5}, [5, 4, 3, 2, 1, 0], 2, 1),
        ({"monitor": "accuracy", "patience": 2}, [0.5, 0.7, 0.6, 0.7, 0.9, 1], 4, 2),
        ({"monitor": "loss", "patience": 2, "mode": "max"}, [1, 2, 1, 1, 9, 9], 4, 2),
    ],
)
def test_early_stopping_stops_and_restores_the_best(options, values, epochs, best_epoch):
    stopping = dl.EarlyStopping(**options)
    metrics = [dl.Metric(lambda y_true, y_pred: 0.0, name="accuracy")]
    run = trainer(Scripted(options["monitor"], values), stopping, metrics=metrics)
    history = run.fit(X, Y, epochs=6)
    assert history.epochs == epochs
    assert stopping.best_epoch == best_epoch
    assert stopping.best == values[best_epoch - 1]
    assert (run.model.params == best_epoch).all()
    assert bool(history.stopped) == (epochs < 6)


def test_early_stopping_can_keep_the_last_parameters():
    stopping = dl.EarlyStopping("loss", patience=1, restore_best=False)
    run = trainer(Scripted("loss", [1, 2, 3]), stopping)
    run.fit(X, Y, epochs=3)
    assert (run.model.params == 2).all()


def test_early_stopping_restores_state_too():
    class Counter(dl.Layer):
        def state_specs(self, input_shape):
            return [dl.ParameterSpec("passes", (), dl.Zeros())]

        def forward(self, x, *, training=False, out=None):
            if training:
                self.passes = self.passes + 1
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    model = dl.Sequential([Counter(), dl.Dense(1)]).build((3,), rng=0)
    stopping = dl.EarlyStopping("loss", patience=2)
    callbacks = [Scripted("loss", [2, 1, 3, 3]), stopping]
    run = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.01), callbacks=callbacks, rng=0)
    run.fit(X, Y, epochs=9)
    assert run.epoch == 4
    assert model.state.tolist() == [4]  # two epochs of two batches
    assert (model.params == 2).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor": "gini"}, "say whether 'gini' should be small or large"),
        ({"mode": "up"}, "mode must be 'min' or 'max'"),
        ({"patience": 0}, "patience must be a whole number of at least 1, got 0"),
        ({"min_delta": -1.0}, r"min_delta must be a number in \[0, inf\), got -1.0"),
    ],
)
def test_early_stopping_checks_its_options(options, message):
    with pytest.raises(dl.ArgumentError, match=message):
        dl.EarlyStopping(**options)


@pytest.mark.parametrize("prefix", ["", "val_"])
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *((name, "min") for name in ("loss", "mean_absolute_error", "mse", "rmse", "mae")),
        *((name, "min") for name in ("log_loss", "perplexity", "mean_poisson_deviance")),
        *((name, "max") for name in ("accuracy", "top_k_accuracy", "f1_score", "r2_score", "r2")),
        *((name, "max") for name in ("roc_auc", "precision", "recall", "balanced_accuracy")),
    ],
)
def test_the_usual_measures_are_known_to_be_small_or_large(prefix, name, mode):
    assert dl.EarlyStopping(prefix + name).mode == mode
    other = {"min": "max", "max": "min"}[mode]
    assert dl.EarlyStopping(prefix + name, mode=other).mode == other


def test_early_stopping_needs_what_it_watches():
    run = trainer(dl.EarlyStopping())
    with pytest.raises(
        dl.ArgumentError, match=r"'val_loss' is not measured, only loss, seconds. Values named val_"
    ):
        run.fit(X, Y, epochs=1)
    assert run.step == 0


def test_progress_bar_prints_a_line_an_epoch(capsys):
    run = trainer(dl.ProgressBar(), metrics=[dl.Metric(lambda t, p: 0.5, name="accuracy")])
    run.fit(X, Y, epochs=10, validation_data=(X, Y))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    values = r"loss \d+\.\d{4}  accuracy 0\.\d{4}  val_loss \d+\.\d{4}  val_accuracy 0\.\d{4}"
    assert re.fullmatch(rf"epoch  1/10  {values}  \d+\.\d\d s", lines[0])
    assert lines[9].startswith("epoch 10/10  ")


def test_progress_bar_says_why_training_stopped(capsys):
    stopping = dl.EarlyStopping("loss", patience=1)
    trainer(Scripted("loss", [1, 2]), stopping, dl.ProgressBar()).fit(X, Y, epochs=5)
    assert (
        capsys.readouterr().out.splitlines()[-1].startswith("stopped after epoch 2: loss has not")
    )


def test_a_bar_is_drawn_where_somebody_watches(monkeypatch, capsys):
    monkeypatch.setattr(progress_bar, "is_interactive", lambda: True)
    trainer(dl.ProgressBar()).fit(X, Y, epochs=1)
    assert "epoch 1/1:   0%" in capsys.readouterr().err
    trainer(dl.ProgressBar(enabled=False)).fit(X, Y, epochs=1)
    quiet = capsys.readouterr()
    assert quiet.err == quiet.out == ""


def test_a_trainer_shows_a_bar_by_itself_only_where_somebody_watches(monkeypatch, capsys):
    module = sys.modules["minidl.training.parts"]
    trainer().fit(X, Y, epochs=1)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(module, "is_interactive", lambda: True)
    trainer().fit(X, Y, epochs=1)
    assert capsys.readouterr().out.startswith("epoch 1/1  loss")
    trainer(dl.ProgressBar(enabled=False)).fit(X, Y, epochs=1)
    assert capsys.readouterr().out == ""


def test_history_plots_itself():
    run = trainer()
    figure = run.fit(X, Y, epochs=2).plot()
    assert figure.axes


def test_early_stopping_does_not_take_nan_for_the_best():
    stopping = dl.EarlyStopping("loss", patience=2)
    run = trainer(Scripted("loss", [np.nan, 5, 4, np.nan, 4.5]), stopping)
    run.fit(X, Y, epochs=9)
    assert (run.epoch, stopping.best_epoch, stopping.best) == (5, 3, 4)
    run.callbacks = [stopping]
    run.history._columns["loss"] = [np.nan] * run.epoch
    run.callbacks.insert(0, Scripted("loss", [np.nan] * 99))
    assert run.fit(X, Y, epochs=9).stopped
    assert run.epoch == 7
    assert stopping.best_epoch == 0
    assert np.isnan(stopping.best)


def test_a_fit_that_does_not_begin_ends_no_callback():
    stopping, log = dl.EarlyStopping("loss", patience=1), Log()
    run = trainer(stopping)
    run.fit(X, Y, epochs=2)
    run.model.params = np.full(4, 7.0)
    stopping.monitor = "val_loss"
    run.callbacks = [log, stopping]
    with pytest.raises(dl.ArgumentError, match="is not measured"):
        run.fit(X, Y, epochs=1)
    assert (run.model.params == 7).all()
    assert log.calls == ["fit_begin", "fit_end"]


def test_all_callbacks_end_although_one_raises():
    class Breaks(dl.Callback):
        def on_fit_end(self, trainer):
            raise RuntimeError("disk full")

    logs = [Log(), Log()]
    with pytest.raises(RuntimeError, match="disk full"):
        trainer(logs[0], Breaks(), logs[1]).fit(X, Y, epochs=1)
    assert [log.calls[-1] for log in logs] == ["fit_end", "fit_end"]


def test_an_empty_reason_stops_too():
    class Stop(dl.Callback):
        def on_epoch_end(self, trainer):
            trainer.stop("")

    assert trainer(Stop()).fit(X, Y, epochs=5).epochs == 1
