"""Files of the last and the best state."""

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest

import minidl as dl
from minidl.io.whole_files import replacing

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


def restored(path):
    model = network()
    model.params *= 0
    return model, dl.Checkpoint.restore(model, path)


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
    name = options.get("monitor", "val_loss")
    scripted, checkpoint = Scripted(name, values), dl.Checkpoint(tmp_path / "a" / "b", **options)
    metrics = [dl.Metric(lambda y_true, y_pred: 0.0, name="f1")]
    run = trainer(scripted, checkpoint, metrics=metrics)
    history = run.fit(X, Y, epochs=3, validation_data=(X, Y))
    for file, epoch in (("best.npz", best), ("last.npz", 3)):
        model, found = restored(tmp_path / "a" / "b" / file)
        np.testing.assert_array_equal(model.params, scripted.kept[epoch][0])
        np.testing.assert_array_equal(model.state, scripted.kept[epoch][1])
        assert (found.pop("epoch"), found.pop("step")) == (epoch, 2 * epoch)
        assert list(found) == list(history)
        np.testing.assert_array_equal(
            list(found.values()), [history[n][epoch - 1] for n in history]
        )
    assert (checkpoint.best_epoch, checkpoint.best) == (best, values[best - 1])
    assert sorted(os.listdir(tmp_path / "a" / "b")) == ["best.npz", "last.npz"]


def test_files_are_plain_arrays(tmp_path):
    run = trainer(dl.Checkpoint(tmp_path, "loss"))
    run.fit(X, Y, epochs=1)
    with np.load(tmp_path / "last.npz", allow_pickle=False) as file:
        assert {name: file[name].dtype.kind for name in file.files} == {
            "params": "f",
            "state": "f",
            "epoch": "i",
            "step": "i",
            "names": "U",
            "values": "f",
        }
        np.testing.assert_array_equal(file["params"], run.model.params)


def test_the_best_is_that_of_all_fits(tmp_path):
    run = trainer(Scripted("loss", [3.0, 1.0, 2.0, 0.5]), dl.Checkpoint(tmp_path, "loss"))
    for epoch, best in ((1, 1), (2, 2), (3, 2), (4, 4)):
        run.fit(X, Y, epochs=1)
        assert restored(tmp_path / "best.npz")[1]["epoch"] == best
        assert restored(tmp_path / "last.npz")[1]["epoch"] == epoch


@pytest.mark.parametrize("name", ["last.npz", "best.npz"])
def test_a_full_disk_costs_no_file(tmp_path, monkeypatch, name):
    checkpoint = dl.Checkpoint(tmp_path, "loss")
    run = trainer(checkpoint)
    run.fit(X, Y, epochs=1)
    before = (tmp_path / name).read_bytes()
    real = np.savez

    def full(file, **arrays):
        real(file, **arrays)
        if name in file.name:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left") as caught:
        run.fit(X, Y, epochs=5)
    assert (
        caught.value.__notes__[0] == f"while writing {tmp_path / name}, which is as it was before"
    )
    assert caught.value.__notes__[1].startswith("raised by Checkpoint.on_epoch_end after epoch 2")
    assert (tmp_path / name).read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["best.npz", "last.npz"]
    monkeypatch.undo()
    run.fit(X, Y, epochs=1)
    assert restored(tmp_path / name)[1]["epoch"] == 3


def test_a_crash_before_the_end_leaves_the_old_file(tmp_path, monkeypatch):
    run = trainer(dl.Checkpoint(tmp_path, "loss"))
    run.fit(X, Y, epochs=1)
    before = (tmp_path / "last.npz").read_bytes()
    order = []
    monkeypatch.setattr(os, "fsync", lambda handle: order.append("on the disk"))
    replace = os.replace

    def crash(old, new):
        order.append("in its place")
        if Path(new).name == "last.npz":
            raise KeyboardInterrupt
        replace(old, new)

    monkeypatch.setattr(os, "replace", crash)
    assert "interrupted" in run.fit(X, Y, epochs=1).stopped
    assert order == ["on the disk", "in its place"] * 2
    assert (tmp_path / "last.npz").read_bytes() == before


def test_all_of_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(os, "fsync", lambda handle: written.append(os.fstat(handle).st_size))
    with replacing(tmp_path / "file") as file:
        file.write(b"abc")
    assert written == [3]
    assert (tmp_path / "file").read_bytes() == b"abc"


def test_a_folder_that_is_gone_is_named(tmp_path):
    path = tmp_path / "gone" / "file"
    with pytest.raises(FileNotFoundError, match="gone") as caught, replacing(path):
        pass
    assert caught.value.__notes__ == [f"while writing {path}, which is as it was before"]


def test_the_home_folder_has_its_short_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run = trainer(dl.Checkpoint("~/runs", "loss"), dl.CSVLog("~/runs/log.csv"))
    run.fit(X, Y, epochs=1)
    assert sorted(os.listdir(tmp_path / "runs")) == ["best.npz", "last.npz", "log.csv"]
    assert dl.Checkpoint.restore(network(), "~/runs/last.npz")["epoch"] == 1


def test_any_damage_is_said_to_be_one(tmp_path):
    """A flipped bit makes zipfile raise errors of many kinds."""
    trainer(dl.Checkpoint(tmp_path, "loss")).fit(X, Y, epochs=1)
    content = (tmp_path / "last.npz").read_bytes()
    start = content.find(b"PK\x01\x02")  # the table of contents
    for place in range(start, start + 46):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            (tmp_path / "damaged.npz").write_bytes(damaged)
            with contextlib.suppress(dl.DataError):
                dl.Checkpoint.restore(network(), tmp_path / "damaged.npz")


def test_restoring_goes_into_a_model(tmp_path):
    with pytest.raises(
        dl.ArgumentTypeError, match=r"Checkpoint.restore: model must be a Layer, got .*Trainer"
    ):
        dl.Checkpoint.restore(trainer(), tmp_path / "last.npz")


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off", None])
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path, content):
    path = tmp_path / "file.npz"
    if content is None:
        np.savez(path, weights=np.ones(3))
    else:
        path.write_bytes(content)
    model = network()
    before = model.params.copy()
    with pytest.raises(
        dl.DataError,
        match=r"Checkpoint: .*file.npz is damaged, or was not written by Checkpoint: .",
    ):
        dl.Checkpoint.restore(model, path)
    np.testing.assert_array_equal(model.params, before)


def test_a_damaged_file_is_refused(tmp_path):
    trainer(dl.Checkpoint(tmp_path, "loss")).fit(X, Y, epochs=1)
    content = bytearray((tmp_path / "last.npz").read_bytes())
    content[content.find(b"\x93NUMPY") + 150] ^= 0xFF
    (tmp_path / "last.npz").write_bytes(content)
    with pytest.raises(dl.DataError, match=r"last.npz is damaged, .*CRC"):
        restored(tmp_path / "last.npz")


def test_a_file_of_another_model_is_refused(tmp_path):
    trainer(dl.Checkpoint(tmp_path, "loss")).fit(X, Y, epochs=1)
    model = network(2)
    with pytest.raises(dl.ShapeError, match=r"last.npz has 29 parameters, the model 34\. Build it"):
        dl.Checkpoint.restore(model, tmp_path / "last.npz")
    plain = dl.Sequential([dl.Dense(4), dl.LayerNorm(), dl.Dense(1)]).build((3,), rng=0)
    before = plain.params.copy()
    with pytest.raises(dl.ShapeError, match=r"last.npz has 8 numbers of state, the model 0\."):
        dl.Checkpoint.restore(plain, tmp_path / "last.npz")
    np.testing.assert_array_equal(plain.params, before)
    with pytest.raises(FileNotFoundError, match=r"none.npz"):
        dl.Checkpoint.restore(plain, tmp_path / "none.npz")


def test_what_cannot_work_is_said_before_the_first_step(tmp_path):
    (tmp_path / "file").write_text("")
    run = trainer(dl.Checkpoint(tmp_path / "file", "loss"))
    with pytest.raises(FileExistsError, match="file"):
        run.fit(X, Y, epochs=1)
    run.callbacks = [dl.Checkpoint(tmp_path)]
    with pytest.raises(dl.ArgumentError, match="Checkpoint: 'val_loss' is not measured, only loss"):
        run.fit(X, Y, epochs=1)
    assert run.step == 0
    with pytest.raises(dl.ArgumentError, match="Checkpoint: say whether 'gini' should be small"):
        dl.Checkpoint(tmp_path, "gini")
