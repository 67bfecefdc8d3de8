"""Files of the last and the best state."""

import errno
import os
import resource

import numpy as np
import pytest

import minidl as dl

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


def network(units=1):
    return dl.Sequential([dl.Dense(4), dl.BatchNorm(), dl.Dense(units)]).build((3,), rng=0)


def trainer(*callbacks, metrics=()):
    return dl.Trainer(
        network(),
        dl.MeanSquaredError(),
        dl.SGD(0.01),
        metrics=metrics,
        callbacks=callbacks,
        rng=0,
    )


class Scripted(dl.Callback):
    """Overwrites the watched value of each epoch, and keeps the parameters and the state."""

    def __init__(self, name, values):
        self.name, self.values, self.kept = name, values, {}

    def on_epoch_end(self, trainer):
        trainer.history._columns[self.name][-1] = self.values[trainer.epoch - 1]
        self.kept[trainer.epoch] = trainer.model.params.copy(), trainer.model.state.copy()


BEST, LAST = "best.safetensors", "last.safetensors"
PREVIOUS = "last.previous.safetensors"


@pytest.mark.parametrize(
    ("options", "values", "best"),
    [
        ({"monitor": "loss"}, [3.0, 1.0, 2.0], 2),
        ({"monitor": "loss"}, [1.0, 1.0, 1.0], 1),
        ({"monitor": "loss", "mode": "max"}, [3.0, 1.0, 4.0], 3),
        ({"monitor": "f1"}, [0.3, 0.5, 0.4], 2),
        ({}, [0.3, 0.5, 0.2], 3),
        ({"monitor": "loss"}, [np.nan, 5.0, np.nan], 2),
    ],
)
def test_the_last_and_the_best_epoch_are_kept(tmp_path, options, values, best):
    name, folder = options.get("monitor", "val_loss"), tmp_path / "a" / "b"
    scripted, checkpoint = Scripted(name, values), dl.Checkpoint(folder, **options)
    metrics = [dl.Metric(lambda y_true, y_pred: 0.0, name="f1")]
    run = trainer(scripted, checkpoint, metrics=metrics)
    history = run.fit(X, Y, epochs=3, validation_data=(X, Y))
    for file, epoch in ((BEST, best), (LAST, 3), (PREVIOUS, 2)):
        model = dl.load(folder / file)
        np.testing.assert_array_equal(model.params, scripted.kept[epoch][0])
        np.testing.assert_array_equal(model.state, scripted.kept[epoch][1])
    assert (checkpoint.best_epoch, checkpoint.best) == (best, values[best - 1])
    assert sorted(os.listdir(folder)) == sorted([BEST, LAST, PREVIOUS])
    again = dl.Trainer.from_checkpoint(
        folder,
        metrics=metrics,
        callbacks=[Scripted("", []), dl.Checkpoint(folder, **options)],
    )
    assert (again.epoch, again.step) == (3, 6)
    assert list(again.history) == list(history)
    for column in history:
        np.testing.assert_array_equal(again.history[column], history[column])
    assert (again.callbacks[1].best_epoch, again.callbacks[1].best) == (best, values[best - 1])


def test_the_best_is_that_of_all_fits(tmp_path):
    scripted = Scripted("loss", [3.0, 1.0, 2.0, 0.5])
    run = trainer(scripted, dl.Checkpoint(tmp_path, "loss"))
    for epoch, best in ((1, 1), (2, 2), (3, 2), (4, 4)):
        run.fit(X, Y, epochs=1)
        for file, kept in ((BEST, best), (LAST, epoch)):
            model = dl.load(tmp_path / file)
            np.testing.assert_array_equal(model.params, scripted.kept[kept][0])


def test_long_epochs_are_written_more_often(tmp_path, monkeypatch):
    steps = []
    run = trainer(dl.Checkpoint(tmp_path, "loss", every_steps=3))
    monkeypatch.setattr(run, "save_checkpoint", lambda path: steps.append((path.name, run.step)))
    run.fit(X, Y, epochs=2, batch_size=16)
    assert steps == [(LAST, 3), (LAST, 4), (LAST, 6), (LAST, 8)]


class Notes(dl.Callback):
    """The parameters after each epoch, to see that training went on."""

    def __init__(self):
        self.params = []

    def on_epoch_end(self, trainer):
        self.params.append(trainer.model.params.copy())


def test_a_full_disk_costs_no_file_and_no_run(tmp_path, monkeypatch):
    plain = trainer()
    plain.fit(X, Y, epochs=5)
    run = trainer(dl.Checkpoint(tmp_path, "loss"))
    run.fit(X, Y, epochs=2)
    before = contents(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.warns(dl.TrainingWarning, match="could not be written: .*No space") as caught:
            run.fit(X, Y, epochs=2)
    assert [str(warning.message).count(name) for warning in caught for name in (BEST, LAST)] == [
        *(1, 0),
        *(0, 1),
    ]
    assert {warning.filename for warning in caught} == {__file__}
    assert contents(tmp_path) == before
    run.fit(X, Y, epochs=1)
    for name in (BEST, LAST):
        np.testing.assert_array_equal(dl.load(tmp_path / name).params, plain.model.params)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(dl.TrainingWarning, match="could not be written"):  # again, said again
        run.fit(X, Y, epochs=1)


def test_what_has_grown_too_long_ends_no_run(tmp_path):
    grows = dl.Callback()
    grows.state_dict = lambda: {"numbers": list(range(10**5 if run.epoch > 1 else 3))}
    run = trainer(grows, dl.Checkpoint(tmp_path, "loss"))
    with pytest.warns(
        dl.TrainingWarning, match=r"last.* could not be written: .* as arrays\. The one before is"
    ):
        run.fit(X, Y, epochs=3)
    assert run.epoch == 3
    with pytest.warns(dl.TrainingWarning, match="the run had Callback"):
        assert dl.Trainer.from_checkpoint(tmp_path, callbacks=[dl.Checkpoint(tmp_path)]).epoch == 1


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def full(handle):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_file_before_stays_until_the_next(tmp_path):
    run, path = trainer(), tmp_path / "run.ckpt"
    written = []
    for _ in range(3):
        run.fit(X, Y, epochs=1)
        run.save_checkpoint(path)
        written.append(path.read_bytes())
    assert sorted(os.listdir(tmp_path)) == ["run.ckpt", "run.previous.ckpt"]
    assert (tmp_path / "run.previous.ckpt").read_bytes() == written[1]


def test_a_write_that_fails_leaves_both_files(tmp_path, monkeypatch):
    """The system refuses bytes in the middle of a file, as a full disk does."""
    run, path = trainer(), tmp_path / "run.ckpt"
    for _ in range(2):
        run.save_checkpoint(path)
    before = contents(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            run.save_checkpoint(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.__notes__ == [f"while writing {path}, which is as it was before"]
    assert contents(tmp_path) == before


def test_a_crash_at_any_call_leaves_a_good_file(tmp_path, monkeypatch):
    """Whatever call to the system is the last one, there is a good checkpoint."""
    run, path = trainer(), tmp_path / "run.ckpt"
    run.save_checkpoint(path)
    run.fit(X, Y, epochs=1)
    for name in ("fsync", "link", "replace"):
        for crash_at in range(3):
            with monkeypatch.context() as patch:
                calls = Crashes(getattr(os, name), crash_at)
                patch.setattr(os, name, calls)
                try:
                    run.save_checkpoint(path)
                except Crash:
                    assert dl.Trainer.from_checkpoint(path).step in (0, run.step)
                else:
                    assert calls.count <= crash_at
            assert dl.Trainer.from_checkpoint(path).step in (0, run.step)
    run.save_checkpoint(path)
    assert sorted(os.listdir(tmp_path)) == ["run.ckpt", "run.previous.ckpt"]


class Crash(BaseException):
    """As if the process had ended."""


class Crashes:
    def __init__(self, function, at):
        self.function, self.at, self.count = function, at, 0

    def __call__(self, *arguments):
        self.count += 1
        if self.count > self.at:
            raise Crash
        return self.function(*arguments)


def test_second_names_are_not_needed(tmp_path, monkeypatch):
    def refuse(*names):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    run, path = trainer(), tmp_path / "run.ckpt"
    run.save_checkpoint(path)
    first = path.read_bytes()
    run.fit(X, Y, epochs=1)
    run.save_checkpoint(path)
    assert sorted(os.listdir(tmp_path)) == ["run.ckpt", "run.previous.ckpt"]
    assert (tmp_path / "run.previous.ckpt").read_bytes() == first


def test_what_killed_processes_left_is_removed(tmp_path):
    others = [".other.ckpt.12", ".run.ckpt.x", "run.ckpt.12"]
    for name in [".run.ckpt.12", ".run.previous.ckpt.345", ".best.safetensors.6", *others]:
        (tmp_path / name).write_text("half a file")
    run = trainer(dl.Checkpoint(tmp_path, "loss"))
    run.save_checkpoint(tmp_path / "run.ckpt")
    assert sorted(os.listdir(tmp_path)) == sorted([".best.safetensors.6", "run.ckpt", *others])
    run.fit(X, Y, epochs=1)
    assert sorted(os.listdir(tmp_path)) == sorted([BEST, LAST, "run.ckpt", *others])


def test_the_home_folder_has_its_short_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run = trainer(dl.Checkpoint("~/runs", "loss"), dl.CSVLog("~/runs/log.csv"))
    run.fit(X, Y, epochs=1)
    run.save_checkpoint("~/runs/run.ckpt")
    names = [BEST, LAST, "log.csv", "run.ckpt"]
    assert sorted(os.listdir(tmp_path / "runs")) == sorted(names)
    with pytest.warns(dl.TrainingWarning, match="Checkpoint, CSVLog"):
        assert dl.Trainer.from_checkpoint("~/runs").epoch == 1


def test_what_cannot_work_is_said_before_the_first_step(tmp_path):
    (tmp_path / "file").write_text("")
    run = trainer(dl.Checkpoint(tmp_path / "file", "loss"))
    with pytest.raises(dl.ArgumentError, match=r"Checkpoint: .*file is a file, expected a folder"):
        run.fit(X, Y, epochs=1)
    run.callbacks = [dl.Checkpoint(tmp_path, "loss"), dl.Checkpoint(tmp_path / "." / "a" / "..")]
    with pytest.raises(dl.ArgumentError, match=r"Checkpoint: two of them write to .*folder of its"):
        run.fit(X, Y, epochs=1, validation_data=(X, Y))
    run.callbacks = [dl.Checkpoint(tmp_path)]
    with pytest.raises(dl.ArgumentError, match="Checkpoint: 'val_loss' is not measured, only loss"):
        run.fit(X, Y, epochs=1)
    assert run.step == 0
    with pytest.raises(dl.ArgumentError, match="Checkpoint: say whether 'gini' should be small"):
        dl.Checkpoint(tmp_path, "gini")
    with pytest.raises(dl.ArgumentError, match="Checkpoint: every_steps must be a whole number"):
        dl.Checkpoint(tmp_path, "loss", every_steps=0)


@pytest.mark.parametrize("hook", ["on_fit_begin", "on_fit_end"])
def test_before_and_after_a_fit_is_between_two(tmp_path, hook):
    path = tmp_path / "run.ckpt"
    saves = dl.Callback()
    setattr(saves, hook, lambda trainer: trainer.save_checkpoint(path))
    run = trainer()
    run.fit(X, Y, epochs=1)
    run.callbacks = [saves]
    run.fit(X, Y, epochs=1)
    run.callbacks = []
    with pytest.warns(dl.TrainingWarning, match="the run had Callback, which this one has not"):
        again = dl.Trainer.from_checkpoint(path)
    again.fit(X, Y, epochs=3)
    run.fit(X, Y, epochs=1)
    np.testing.assert_array_equal(again.model.params, run.model.params)


def test_in_the_middle_of_a_batch_nothing_can_be_saved(tmp_path):
    run = trainer(metrics=[lambda y_true, y_pred: run.save_checkpoint(tmp_path)])
    with pytest.raises(dl.StateError, match=r"save_checkpoint: .*Call it between two fits, or in"):
        run.fit(X, Y, epochs=1)


def test_what_has_not_gone_on_is_not_saved_again(tmp_path):
    saves, path = dl.Callback(), tmp_path / "run.ckpt"
    saves.on_batch_end = lambda trainer, loss: trainer.save_checkpoint(path)
    run = trainer(saves)
    run.fit(X, Y, epochs=1)
    again = dl.Trainer.from_checkpoint(path, callbacks=[dl.Callback()])
    with pytest.raises(dl.StateError, match="in the middle of a fit, and has not gone on yet"):
        again.save_checkpoint(path)
    again.fit(X, Y, epochs=1)
    again.save_checkpoint(path)
    assert dl.Trainer.from_checkpoint(path, callbacks=[dl.Callback()]).epoch == 1


def test_a_solver_leaves_its_model(tmp_path):
    model, callbacks = network(), [dl.Checkpoint(tmp_path, "loss")]
    dl.minimize(model, dl.MeanSquaredError(), X, Y, iterations=3, callbacks=callbacks)
    np.testing.assert_array_equal(dl.load(tmp_path / LAST).params, model.params)
    with pytest.raises(dl.ArgumentError, match=r"the run's optimizer was a SciPySolver"):
        dl.Trainer.from_checkpoint(tmp_path)


def test_a_model_that_no_file_holds_is_named_before_the_first_step(tmp_path):
    class Odd(dl.Flatten):
        def __init__(self, option):
            self.option = option

    model = dl.Sequential([Odd({1}), dl.Dense(1)]).build((3,))
    run = dl.Trainer(
        model, dl.MeanSquaredError(), dl.SGD(0.01), callbacks=[dl.Checkpoint(tmp_path, "loss")]
    )
    with pytest.raises(dl.ArgumentError, match=r"'option' is \{1\}, which a model file cannot"):
        run.fit(X, Y, epochs=1)
    assert run.step == 0
