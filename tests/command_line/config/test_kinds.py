"""The closed list of names: all of minidl's, and nothing else."""

import inspect

import pytest

import minidl as dl
from minidl.augmentation.batch_transform import BatchTransform
from minidl.command_line.config.kinds import kinds_of, metric_functions

BASES = [dl.Layer, dl.Loss, dl.Optimizer, dl.Schedule, dl.Initializer, dl.Penalty, dl.Constraint]


def public(base):
    """The public classes of a kind that can be made."""
    values = [getattr(dl, name) for name in dl.__all__]
    classes = [value for value in values if inspect.isclass(value) and issubclass(value, base)]
    return {kind.__name__ for kind in classes if not inspect.isabstract(kind)}


@pytest.mark.parametrize("base", [*BASES, BatchTransform])
def test_all_public_classes_and_no_others(base):
    assert set(kinds_of(base)) == public(base)


def test_callbacks_but_not_those_of_notebooks():
    assert set(kinds_of(dl.Callback)) == public(dl.Callback) - {"Callback", "LivePlot"}


def test_metrics_are_functions_that_give_a_number():
    for function in metric_functions().values():
        assert list(inspect.signature(function).parameters)[:1] == ["y_true"]
    assert {"accuracy", "roc_auc"} <= set(metric_functions())
    assert "confusion_matrix" not in metric_functions()
