"""What `import minidl as dl` promises."""

import inspect
import re
from importlib import metadata
from pathlib import Path

import pytest
from public_names import SHAPE, mismatches, public_names, unexplained

import minidl as dl

PUBLIC = public_names("testing")
NAMES, METHODS = [p for p in PUBLIC if not p.owner], [p for p in PUBLIC if p.owner]
EXAMPLES = "".join(line for public in PUBLIC for line in public.examples)
FORMULAS = (dl.Layer, dl.Loss, dl.Optimizer)


def test_version_is_the_installed_one():
    assert dl.__version__ == metadata.version("minidl")
    assert re.fullmatch(r"\d+\.\d+\.\d+", dl.__version__)


def test_package_is_typed():
    assert (Path(dl.__file__).parent / "py.typed").exists()


def by_path(public):
    return public.path


@pytest.mark.parametrize("public", PUBLIC, ids=by_path)
def test_public_names_have_docstrings(public):
    assert len(public.doc) > 15


EXAMPLES_THAT_DO_NOT_RUN = {  # which may have to download their data
    *("load_emnist", "load_fashion_mnist", "load_kmnist", "load_mnist"),
}


@pytest.mark.parametrize("public", [p for p in NAMES if not p.is_error], ids=by_path)
def test_classes_and_functions_have_an_example_that_runs(public):
    assert bool(public.examples) == (public.path not in EXAMPLES_THAT_DO_NOT_RUN)


NOT_CALLED_BY_USERS = {  # what authors of new classes override, and minidl's own loops call
    dl.Callback: r"on_\w+",
    dl.Layer: r"\w+_specs|\w*output_shape\w*|\w+_shapes|makes_mask|bound|where|\w+_attributes",
    dl.Loss: r"(?!per_sample|value_and_grad)\w+",
    dl.Objective: r"chunked|rows_at_a_time|check_batch|differentiate|predicted_labels",
    dl.Optimizer: r"slots|spare",
}


@pytest.mark.parametrize(
    "public",
    [p for p in METHODS if not re.fullmatch(NOT_CALLED_BY_USERS.get(p.owner, ""), p.name)],
    ids=by_path,
)
def test_methods_that_users_call_are_shown_at_work(public):
    assert re.search(rf"[ .]{public.name}\b", EXAMPLES)


@pytest.mark.parametrize("public", PUBLIC, ids=by_path)
def test_every_argument_is_explained_and_no_other(public):
    assert mismatches(public) == set()
    assert unexplained(public, METHODS) == []


@pytest.mark.parametrize("public", [p for p in PUBLIC if p.has_arrays], ids=by_path)
def test_what_takes_or_gives_arrays_says_their_shapes(public):
    assert SHAPE.search(public.doc)


@pytest.mark.parametrize(
    "public",
    [p for p in NAMES if inspect.isclass(p.value) and issubclass(p.value, FORMULAS)],
    ids=by_path,
)
def test_layers_losses_and_optimizers_show_formula_and_shapes(public):
    assert "$" in public.doc or public.path == "Flatten"
    if not issubclass(public.value, dl.Optimizer) and not inspect.isabstract(public.value):
        assert "Shapes:" in public.doc


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
