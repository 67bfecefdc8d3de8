"""The CSV file, the learning rate in the history, the time limit."""

import csv
import time

import numpy as np
import pytest

import minidl as dl

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


def trainer(*callbacks, optimizer=None):
    model = dl.Dense(1).build((3,), rng=0)
    optimizer = optimizer or dl.SGD(0.01)
    return dl.Trainer(model, dl.MeanSquaredError(), optimizer, callbacks=callbacks, rng=0)


def content(path):
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, [[float(value) for value in row] for row in rows]


def assert_same(path, history):
    header, rows = content(path)
    assert header == ["epoch", *history]
    columns = [np.arange(1.0, history.epochs + 1), *(history[name] for name in history)]
    np.testing.assert_array_equal(rows, np.transpose(columns))


def test_a_csv_file_grows_with_the_history(tmp_path):
    path = tmp_path / "logs" / "deep" / "run.csv"
    seen = []

    class Reads(dl.Callback):
        def on_epoch_end(self, trainer):
            assert_same(path, trainer.history)  # each line is in the file at once
            seen.append(path.stat().st_ino)

    run = trainer(dl.CSVLog(path), Reads())
    run.fit(X, Y, epochs=3)
    assert path.read_text().startswith("epoch,loss,seconds\n1,")
    assert path.read_bytes().count(b"\n") == 4
    assert b"\r" not in path.read_bytes()
    assert len(set(seen)) == 1  # lines are added, the file is not written anew


def test_a_second_fit_goes_on_with_the_file_also_with_more_columns(tmp_path):
    path = tmp_path / "run.csv"
    run = trainer(dl.CSVLog(str(path)))
    run.fit(X, Y, epochs=2)
    run.fit(X, Y, epochs=2)
    assert_same(path, run.history)
    run.callbacks += [dl.LearningRateLog()]
    run.fit(X, Y, epochs=2, validation_data=(X, Y))
    assert_same(path, run.history)
    header, rows = content(path)
    assert header == ["epoch", "loss", "seconds", "val_loss", "learning_rate"]
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert np.isnan([row[3] for row in rows]).tolist() == [True] * 4 + [False] * 2


def test_a_new_run_begins_the_file_anew_once_it_has_an_epoch(tmp_path):
    path = tmp_path / "run.csv"
    trainer(dl.CSVLog(path)).fit(X, Y, epochs=3)
    before = path.read_text()

    class Fails(dl.Callback):
        def on_batch_end(self, trainer, loss):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        trainer(dl.CSVLog(path), Fails()).fit(X, Y, epochs=3)
    assert path.read_text() == before
    run = trainer(dl.CSVLog(path))
    run.fit(X, Y, epochs=1)
    assert_same(path, run.history)


@pytest.mark.parametrize(
    "schedule", [0.5, lambda step: 1.0 / (1 + step)], ids=["number", "schedule"]
)
def test_the_learning_rate_is_that_of_an_epochs_first_step(schedule):
    run = trainer(dl.LearningRateLog(), optimizer=dl.SGD(schedule))
    run.optimizer.steps = 0
    history = run.fit(X, Y * 0, epochs=3, batch_size=16)
    assert list(history) == ["loss", "learning_rate", "seconds"]
    expected = [0.5] * 3 if schedule == 0.5 else [1, 1 / 5, 1 / 9]
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-15)
    run.callbacks = []
    assert np.isnan(run.fit(X, Y, epochs=1)["learning_rate"]).tolist() == [False] * 3 + [True]


def test_learning_rates_are_printed_and_not_drawn(capsys):
    run = trainer(dl.ProgressBar(), dl.LearningRateLog(), optimizer=dl.SGD(1e-5))
    history = run.fit(X, Y, epochs=2)
    assert "  learning_rate 1.0e-05  " in capsys.readouterr().out
    assert [axes.get_title(loc="left") for axes in history.plot().axes] == ["loss"]
    run.optimizer.learning_rate = 1e-3
    run.fit(X, Y, epochs=1)
    assert "  learning_rate 0.0010  " in capsys.readouterr().out
    run.optimizer.learning_rate = lambda step: 0.0
    run.fit(X, Y, epochs=1)
    assert "  learning_rate 0.0000  " in capsys.readouterr().out


class Clock:
    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


class Slow(dl.Callback):
    """Every batch takes a second."""

    def __init__(self, clock):
        self.clock = clock

    def on_batch_end(self, trainer, loss):
        self.clock.now += 1


@pytest.mark.parametrize(
    ("seconds", "steps", "epochs"), [(3, 3, 2), (2.5, 3, 2), (4, 4, 2), (0, 1, 1), (4.01, 5, 3)]
)
def test_a_time_limit_ends_with_the_batch(monkeypatch, seconds, steps, epochs):
    clock = Clock(monkeypatch)
    run = trainer(Slow(clock), dl.TimeLimit(seconds))
    history = run.fit(X, Y, epochs=100, validation_data=(X, Y))  # two batches an epoch
    assert (run.step, run.epoch, history.epochs) == (steps, epochs, epochs)
    assert history.stopped == f"the time limit of {seconds:g} s was reached"
    assert np.isfinite(history["val_loss"]).all()
    run.fit(X, Y, epochs=100)  # each fit has the whole time
    assert run.step == 2 * steps


@pytest.mark.parametrize("seconds", [-1, np.nan, "1 h", None])
def test_a_time_limit_is_a_number(seconds):
    with pytest.raises(
        dl.ArgumentError, match=r"TimeLimit: seconds must be a number in \[0, inf\)"
    ):
        dl.TimeLimit(seconds)


def test_a_folder_is_no_log(tmp_path):
    run = trainer(dl.CSVLog(tmp_path))
    with pytest.raises(dl.ArgumentError, match=r"CSVLog: .* is a folder\. Name a file, such as"):
        run.fit(X, Y, epochs=1)
    assert run.step == 0


@pytest.mark.parametrize("value", ["good", None, np.ones(2)])
def test_what_is_no_number_does_not_come_into_the_history(value):
    def note(trainer):
        trainer.extra_values |= {"first": 1.0, "note": value} if trainer.epoch else {}

    remark = dl.Callback()
    remark.on_epoch_begin = note
    run = trainer(remark)
    with pytest.raises(dl.ArgumentTypeError, match=r"History: 'note' must be one number an epoch"):
        run.fit(X, Y, epochs=2)
    assert run.epoch == run.history.epochs == 1
    assert list(run.history) == ["loss", "seconds"]
    run.callbacks = []
    assert run.fit(X, Y, epochs=1)["loss"].shape == (2,)
