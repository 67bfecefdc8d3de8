"""What `import minidl as dl` promises."""

import doctest
import inspect
import re
from importlib import metadata
from pathlib import Path

import pytest

import minidl as dl

PUBLIC = [name for name in dl.__all__ if not name.startswith("__")]


def test_version_is_the_installed_one():
    assert dl.__version__ == metadata.version("minidl")
    assert re.fullmatch(r"\d+\.\d+\.\d+", dl.__version__)


def test_package_is_typed():
    assert (Path(dl.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_docstrings(name):
    value = getattr(dl, name)
    assert len(inspect.getdoc(value) or "") > 20
    if inspect.isclass(value):
        for attribute, member in inspect.getmembers(value):
            if not attribute.startswith("_") and callable(member):
                assert inspect.getdoc(member), f"{name}.{attribute}"


EXAMPLES_THAT_DO_NOT_RUN = {  # which may have to download their data
    *("load_emnist", "load_fashion_mnist", "load_kmnist", "load_mnist"),
}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in PUBLIC
        if callable(getattr(dl, name))
        and not (inspect.isclass(getattr(dl, name)) and issubclass(getattr(dl, name), Exception))
    ],
)
def test_classes_and_functions_have_an_example_that_runs(name):
    parts = doctest.DocTestParser().get_examples(inspect.getdoc(getattr(dl, name)))
    runs = [not part.options.get(doctest.SKIP) for part in parts]
    assert any(runs) == (name not in EXAMPLES_THAT_DO_NOT_RUN)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in PUBLIC
        if inspect.isclass(getattr(dl, name))
        and issubclass(getattr(dl, name), dl.Layer | dl.Loss | dl.Optimizer)
        and not inspect.isabstract(getattr(dl, name))
    ],
)
def test_layers_losses_and_optimizers_show_formula_and_shapes(name):
    doc = inspect.getdoc(getattr(dl, name))
    assert "$" in doc or name == "Flatten"
    if not issubclass(getattr(dl, name), dl.Optimizer):
        assert "Shapes:" in doc


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'Densee'"):
        _ = dl.Densee


def test_errors_are_also_the_built_in_kinds():
    kinds = {
        dl.ShapeError: ValueError,
        dl.DTypeError: TypeError,
        dl.StateError: RuntimeError,
        dl.DataError: ValueError,
        dl.ArgumentError: ValueError,
        dl.ArgumentTypeError: TypeError,
        dl.DivergenceError: ArithmeticError,
    }
    for kind, built_in in kinds.items():
        assert issubclass(kind, dl.MinidlError)
        assert issubclass(kind, built_in)
