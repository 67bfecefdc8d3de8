"""`minidl export`: which file, what is said of it."""

import builtins
import subprocess
import sys

import numpy as np
import pytest

import minidl as dl


def values_of(text):
    return dict(line.split(": ") for line in text.splitlines())


def test_numpy(run, classifier, tmp_path):
    code, out, err = run("export", classifier, "--to", "numpy")
    assert (code, err) == (0, "")
    values = values_of(out)
    path = classifier.with_suffix(".py")
    assert values["written"] == str(path)
    assert int(values["bytes"]) == path.stat().st_size
    assert values["weight_bytes"] == "48"
    assert float(values["largest_difference"]) < 1e-5
    code = "import c, numpy as np; print(c.predict(np.eye(3, dtype='f4')).argmax(axis=1))"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[0 1 2]"


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_c(run, classifier, tmp_path, weights):
    path = tmp_path / "made" / "digits.h"
    found = run("export", classifier, "--to", "c", "-o", path, "--weights", weights)
    values = values_of(found.out)
    assert values["written"] == str(path)
    assert values["weight_bytes"] == ("48" if weights == "float32" else "33")
    assert values["rows_compared"] == "32"
    assert values["compiled_and_tested"] in ("yes", "no, there is no C compiler")
    assert "digits_predict" in path.read_text()


def test_onnx_calls_its_room(run, classifier, monkeypatch):
    def export_onnx(model, path):
        path.write_bytes(b"graph of 3")
        np.testing.assert_array_equal(model.params, dl.load(classifier).params)

    monkeypatch.setattr("minidl.onnx.export_onnx", export_onnx)
    path = classifier.with_suffix(".onnx")
    assert run("export", classifier, "--to", "onnx") == (0, f"written: {path}\nbytes: 10\n", "")


def test_mistakes(fails, classifier, tmp_path, monkeypatch):
    old = classifier.with_suffix(".py")
    old.write_text("precious")
    message = fails("export", classifier, "--to", "numpy")
    assert message == f"{old} exists already. --force replaces it."
    assert old.read_text() == "precious"
    message = fails("export", classifier, "--to", "numpy", "--weights", "int8", "--force")
    assert message == "export: --weights int8 goes with --to c only."
    dl.Sequential([dl.LSTM(2)]).build((3, 4), rng=0).save(tmp_path / "l.safetensors")
    assert "LSTM" in fails("export", tmp_path / "l.safetensors", "--to", "c")
    assert not (tmp_path / "l.h").exists()

    real = builtins.__import__

    def without_onnx(name, *rest, **options):
        if name.split(".")[0] == "onnx":
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_onnx)
    assert "pip install minidl[onnx]" in fails("export", classifier, "--to", "onnx")


def test_a_model_is_not_replaced_by_what_is_made_of_it(fails, classifier):
    content = classifier.read_bytes()
    message = fails("export", classifier, "--to", "c", "-o", classifier, "--force")
    assert message == f"{classifier} is what is read. Name another file for the output."
    assert classifier.read_bytes() == content
    message = fails("export", classifier, "--to", "c", "-o", classifier / "digits.h")
    assert message == f"output: {classifier} is a file, expected a folder."
    message = fails("export", classifier, "--to", "c", "-o", classifier.parent)
    assert message.startswith(f"output: {classifier.parent} is a folder. Name a file")
