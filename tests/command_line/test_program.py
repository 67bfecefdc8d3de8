"""`minidl`, `python -m minidl`: exit codes, help, and errors that are not tracebacks."""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import minidl as dl
from minidl.__main__ import main
from minidl.command_line import program

COMMANDS = ["summary", "predict", "evaluate", "export", "train", "doctor"]


def test_no_command_prints_help(run):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert all(f"\n    {command} " in out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    _, _, examples = capsys.readouterr().out.partition("examples:\n")
    assert examples.startswith(f"  minidl {command}")


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"minidl {dl.__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nurse"], "invalid choice: 'nurse'"),
        (["doctor", "--jason"], "unrecognized arguments: --jason"),
        (["predict", "model.safetensors"], "the following arguments are required: DATA"),
        (["export", "model.safetensors"], "the following arguments are required: --to"),
        (["export", "model.safetensors", "--to", "java"], "invalid choice: 'java'"),
        (["predict", "m", "d", "--divide-by", "two"], "invalid float value: 'two'"),
        (["train", "c.toml", "--res"], "unrecognized arguments: --res"),  # no abbreviations
    ],
)
def test_a_wrong_command_line_ends_with_two(words, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)
    error = capsys.readouterr().err
    assert error.startswith("usage: minidl")
    assert message in error


def test_the_console_script_is_this_one():
    pyproject = tomllib.loads((Path(dl.__file__).parents[1] / "pyproject.toml").read_text())
    module, _, function = pyproject["project"]["scripts"]["minidl"].partition(":")
    assert getattr(import_module(module), function) is main


def test_help_imports_no_command_s_work():
    code = (
        "import sys; from minidl.command_line import main; main([]); "
        "print([m for m in sys.modules if m.startswith('minidl.') and "
        "m.split('.')[-1] in ('training', 'io', 'config', 'datasets', 'data', 'examine')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_import_minidl_imports_no_command_line():
    code = (
        "import sys, minidl; print([m for m in sys.modules if 'command' in m or m == 'argparse'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def raising(monkeypatch, run):
    """A function that runs `minidl doctor` with an error in it."""

    def raising(error):
        def examine():
            raise error

        monkeypatch.setattr("minidl.doctor.examine", examine)
        return run("doctor")

    return raising


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (dl.DataError("model.x: expected a, got b."), 1, "error: model.x: expected a, got b."),
        (FileNotFoundError(2, "No such file", "a.b"), 1, "error: a.b: No such file"),
        (OSError(28, "No space left on device"), 1, "error: No space left on device"),
        (OSError("odd"), 1, "error: odd"),
        (
            MemoryError("Unable to allocate 9 TiB"),
            1,
            "error: not enough memory. Unable to allocate",
        ),
        (MemoryError(), 1, "error: not enough memory."),
        (ImportError("onnx: pip install minidl[onnx]"), 1, "error: onnx: pip install"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_user_s_mistake_is_a_message(raising, error, code, message):
    found = raising(error)
    assert found.code == code
    assert found.out == ""
    assert found.err.startswith(f"minidl: {message}")
    assert found.err.count("\n") == 1


def test_notes_come_along(raising):
    error = OSError(28, "No space left on device", "m.safetensors")
    error.add_note("while writing m.safetensors, which is as it was before")
    assert raising(error).err.splitlines() == [
        "minidl: error: m.safetensors: No space left on device",
        "while writing m.safetensors, which is as it was before",
    ]


@pytest.mark.parametrize("error", [TypeError("a bug"), ImportError("cannot import name 'x'")])
def test_a_mistake_of_minidl_s_stays_a_traceback(raising, error):
    with pytest.raises(type(error), match=str(error)):
        raising(error)


def test_warnings_are_one_line_without_source(capsys):
    program._show_warning(dl.TrainingWarning("x looks like raw pixels."), None, "f.py", 3)
    assert capsys.readouterr().err == "minidl: warning: x looks like raw pixels.\n"


def started(words, **options):
    """A process whose output has a buffer, as it has where a user pipes it."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "minidl", *map(str, words)]
    return subprocess.Popen(command, env=env, **options)


def test_a_reader_that_ends_early_is_no_error(classifier, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((20_000, 3), np.float32))
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with started(["predict", classifier, tmp_path / "x.npy"], **options) as process:
        assert process.stdout.readline() == "class,probability\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_a_message(classifier, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 3), np.float32))
    words = ["predict", classifier, tmp_path / "x.npy"]
    options = {"stderr": subprocess.PIPE, "text": True}
    with open("/dev/full", "w") as full, started(words, stdout=full, **options) as process:
        assert process.stderr.read() == "minidl: error: No space left on device\n"
        assert process.wait(60) == 1
