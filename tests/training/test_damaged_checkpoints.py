"""Checkpoints that are damaged, or made to do harm."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save_file

import minidl as dl
from minidl.io.tensor_file import write

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)
CALLBACKS = [dl.MovingAverage, lambda: dl.EarlyStopping("loss"), lambda: dl.ReduceOnPlateau("loss")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two checkpoints: of the third step, and before it of the first."""
    path = tmp_path_factory.mktemp("runs") / "run.ckpt"
    model = dl.Sequential([dl.Dense(2), dl.Dropout(0.1), dl.Dense(1)]).build((3,), rng=0)
    callbacks = [make() for make in CALLBACKS]
    trainer = dl.Trainer(
        model, dl.MeanSquaredError(), dl.NAdam(0.01), callbacks=callbacks, metrics=[mean], rng=0
    )

    class Saves(dl.Callback):
        def on_batch_end(self, trainer, loss):
            if trainer.step in (1, 3):
                trainer.callbacks = callbacks
                trainer.save_checkpoint(path)

    trainer.callbacks = [*callbacks, Saves()]
    trainer.fit(X, Y, epochs=2, batch_size=10)
    return path


def mean(y_true, y_pred):
    return float(y_pred.mean())


def resumed(path):
    callbacks = [make() for make in CALLBACKS]
    return dl.Trainer.from_checkpoint(path, callbacks=callbacks, metrics=[mean])


def copied(run, folder, content=None):
    """Both files in another folder, the last one with other content."""
    path = folder / "run.ckpt"
    path.write_bytes(run.read_bytes() if content is None else content)
    previous = run.with_name("run.previous.ckpt").read_bytes()
    path.with_name("run.previous.ckpt").write_bytes(previous)
    return path


def flipped(content, place):
    damaged = bytearray(content)
    damaged[place] ^= 4
    return bytes(damaged)


DAMAGES = {
    "empty": lambda content: b"",
    "garbage": lambda content: b"not a file of tensors" * 9,
    "cut off in the header": lambda content: content[:300],
    "cut off at the end": lambda content: content[:-1],
    "a bit of a number": lambda content: flipped(content, -5),
    "a bit of the first number": lambda content: flipped(
        content, 8 + int.from_bytes(content[:8], "little")
    ),
    "a bit of the header": lambda content: flipped(content, 400),
    "a longer file": lambda content: content + b"\0",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_checkpoint_before_is_taken_and_said(run, tmp_path, damage):
    path = copied(run, tmp_path, DAMAGES[damage](run.read_bytes()))
    with pytest.warns(
        dl.TrainingWarning, match=r"run.ckpt.* goes on from .*run.previous.ckpt: what came after"
    ) as caught:
        trainer = resumed(path)
    assert trainer.step == 1
    assert caught[0].filename == __file__
    whole = resumed(run)
    assert whole.step == 3
    whole.fit(X, Y, epochs=2, batch_size=10)
    trainer.fit(X, Y, epochs=2, batch_size=10)
    np.testing.assert_array_equal(trainer.model.params, whole.model.params)


@pytest.mark.parametrize("relative", [False, True])
def test_a_damaged_file_does_not_take_the_place_of_the_good_one_before(
    run, tmp_path, monkeypatch, relative
):
    path = copied(run, tmp_path, b"garbage")
    previous = path.with_name("run.previous.ckpt")
    good = previous.read_bytes()
    monkeypatch.chdir(tmp_path)
    with pytest.warns(dl.TrainingWarning, match="is no whole safetensors file"):
        trainer = resumed("run.ckpt" if relative else path)
    trainer.fit(X, Y, epochs=2, batch_size=10)
    trainer.save_checkpoint(tmp_path / "another.ckpt")
    trainer.save_checkpoint(path)
    assert previous.read_bytes() == good
    last = path.read_bytes()
    assert resumed(path).epoch == 2
    trainer.save_checkpoint(path)
    assert previous.read_bytes() == last


def test_a_missing_file_has_one_before_it(run, tmp_path):
    path = copied(run, tmp_path)
    path.unlink()
    with pytest.warns(dl.TrainingWarning, match=r"run.ckpt is missing\. The run goes on from"):
        assert resumed(path).step == 1
    path.with_name("run.previous.ckpt").unlink()
    with pytest.raises(FileNotFoundError, match=r"run.ckpt"):
        resumed(path)


def test_two_damaged_files_are_both_named(run, tmp_path):
    path = copied(run, tmp_path, b"garbage")
    path.with_name("run.previous.ckpt").write_bytes(b"")
    with pytest.raises(dl.DataError, match=r"run.ckpt: is no whole") as caught:
        resumed(path)
    assert "run.previous.ckpt: is no whole" in caught.value.__notes__[0]
    path.with_name("run.previous.ckpt").unlink()
    with pytest.raises(dl.DataError, match=r"run.ckpt: is no whole"):
        resumed(path)


def test_a_model_is_no_checkpoint_and_a_checkpoint_is_a_model(run, tmp_path):
    model = dl.load(run)
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(dl.DataError, match=r"is a model, but no checkpoint of a Trainer: dl.load"):
        resumed(tmp_path / "model.safetensors")
    names = set(read_tensors((tmp_path / "model.safetensors").read_bytes()))
    more = set(read_tensors(run.read_bytes())) - names
    assert names == {f"{k}.dense.{name}" for k in (0, 2) for name in ("weight", "bias")}
    assert all(name.startswith("training.") for name in more)
    assert {"training.optimizer.mean", "training.callbacks.0.values"} < more


def test_a_checkpoint_without_its_checksum_is_refused(run, tmp_path):
    tensors, metadata = parts_of(run)
    save_file(tensors, tmp_path / "run.ckpt", metadata)
    with pytest.raises(
        dl.DataError, match="is not as minidl wrote it: its metadata has no 'sha256'"
    ):
        resumed(tmp_path / "run.ckpt")
    assert dl.load(tmp_path / "run.ckpt").params.tobytes() == dl.load(run).params.tobytes()


def test_a_link_leads_to_both_files(run, tmp_path):
    link, path = tmp_path / "link.ckpt", tmp_path / "there" / "run.ckpt"
    path.parent.mkdir()
    link.symlink_to(path)
    trainer = resumed(run)
    trainer.fit(X, Y, epochs=2, batch_size=10)
    for _ in range(2):
        trainer.save_checkpoint(link)
    assert link.is_symlink()
    assert sorted(p.name for p in path.parent.iterdir()) == ["run.ckpt", "run.previous.ckpt"]
    path.write_bytes(b"garbage")
    with pytest.warns(dl.TrainingWarning, match=r"goes on from .*there/run.previous.ckpt"):
        assert resumed(link).epoch == 2


def parts_of(path):
    """What a checkpoint consists of, so that a well-formed one with other data can be written."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    metadata.pop("sha256")
    return read_tensors(content), metadata


def written(path, tensors, metadata, training):
    write(path, tensors, {**metadata, "training": json.dumps(training)})
    return path


HARM = [
    (["version"], 99, "format version 99"),
    (["step"], -1, "-1 where a count belongs"),
    (["epochs_in_history"], 5, "not a value for each of 5 epochs"),
    (["epoch"], True, "True where a int belongs"),
    (["stopped"], 3, "3 where a str belongs"),
    (["loss", "class"], 4, "4 where a str belongs"),
    (["loss", "class"], "Popen", "this version of minidl has none of the name 'Popen'"),
    (["loss", "class"], "SGD", "this version of minidl has none of the name 'SGD'"),
    (["loss", "options"], {"reduction": "sum"}, "no MeanSquaredError can be made"),
    (["optimizer", "options", "beta1"], 7.0, "no NAdam can be made: NAdam: beta1 must be"),
    (
        ["optimizer", "options", "epsilon"],
        {"class": "Popen", "options": {}},
        "no NAdam can be made",
    ),
    (["optimizer", "numbers", "dict", "_product"], "x", "the optimizer's _product is 'x', not one"),
    (["layers"], [], "holds generators of other layers"),
    (["layers", 0, "seed", "pool_size"], 2**40, "a seed with a pool of"),
    (["layers", 0, "seed", "entropy"], "x", "no run that could go on"),
    (["generators"], [], "its trainer has no generator"),
    (["generators", 0, "dict", "bit_generator"], "os", "no run that could go on"),
    (["generators", 0, "dict", "state"], {"dict": {}}, "no run that could go on: KeyError"),
    (["position", "hook"], "__init__", "no run that could go on"),
    (["position", "batches"], 2**70, "where a count belongs"),
    (["position", "sums"], [1.0], "no run that could go on: IndexError"),
    (["callbacks", 1, "state", "best"], "low", "what the checkpoint has for EarlyStopping is not"),
    (["callbacks", 1, "state", "waited"], 1.5, "not what it keeps: waited"),
    (["callbacks", 1, "state", "more"], 1, "not what it keeps: more"),
    (["callbacks", 0, "state", "own"], [1.0], "MovingAverage is not what it keeps: own"),
    (["callbacks", 0, "waits"], None, "None where a bool belongs"),
]


@pytest.mark.parametrize(("place", "value", "message"), HARM)
def test_well_formed_files_with_wrong_content_are_refused(run, tmp_path, place, value, message):
    tensors, metadata = parts_of(run)
    training = json.loads(metadata["training"])
    inner = training
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(dl.DataError, match=message):
        resumed(written(tmp_path / "run.ckpt", tensors, metadata, training))


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("optimizer.mean", np.zeros(10**3, np.float32), "state that is not of the model's"),
        ("optimizer.mean", np.zeros(11), "state that is not of the model's"),
        ("history.loss", np.zeros(3), "history of 'loss' is not a value for each of 1 epochs"),
        ("callbacks.0.values", np.zeros(5, np.float32), "not what it keeps: values"),
        ("epoch.targets", np.zeros((3, 1)), "outputs and targets of its epoch do not belong"),
        ("epoch.outputs", None, "no run that could go on: KeyError"),
    ],
)
def test_arrays_of_other_sizes_are_refused(run, tmp_path, name, array, message):
    tensors, metadata = parts_of(run)
    if array is None:
        del tensors[f"training.{name}"]
    else:
        tensors[f"training.{name}"] = array
    training = json.loads(metadata["training"])
    with pytest.raises(dl.DataError, match=message):
        resumed(written(tmp_path / "run.ckpt", tensors, metadata, training))


def places_of(data, place=()):
    """Every place in nested lists and dicts."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places_of(value, (*place, key))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.sampled_from(["class", "options", "dict", "float"]), st.text(max_size=3)),
    st.just({"class": "Adam", "options": {"dict": {}}}),
)


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_no_content_does_anything_but_a_documented_error(run, tmp_path_factory, data):
    tensors, metadata = parts_of(run)
    training = json.loads(metadata["training"])
    place = data.draw(st.sampled_from(list(places_of(training))))
    inner = training
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = data.draw(VALUES)
    path = written(tmp_path_factory.mktemp("fuzz") / "run.ckpt", tensors, metadata, training)
    check_harmless(path)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_bytes_do_anything_but_a_documented_error(run, tmp_path_factory, data):
    content = bytearray(run.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.sampled_from([len(content), len(content) // 2]))]
    path = tmp_path_factory.mktemp("fuzz") / "run.ckpt"
    path.write_bytes(content)
    check_harmless(path)


def check_harmless(path):
    """Raises DataError, or asks for what is the user's own; or the run goes on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.TrainingWarning)
        try:
            trainer = resumed(path)
        except (dl.DataError, dl.ArgumentError):
            return
        try:
            trainer.fit(X, Y, epochs=min(trainer.epoch, 10**6) + 1, batch_size=10)
        except dl.MinidlError:
            return
        assert np.isfinite(trainer.model.params).all()
        trainer.save_checkpoint(path)
