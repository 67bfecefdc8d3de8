import numpy as np
import pytest

from benchmarks.processes import ContestantError
from benchmarks.sameness import amount, difference
from benchmarks.workloads import WORKLOADS


def test_largest_difference_of_any_number():
    ours = [np.zeros((2, 2)), np.zeros(3)]
    assert difference(ours, [np.zeros((2, 2)), np.array([0, -4e-4, 1e-4])]) == 4e-4


@pytest.mark.parametrize("value", [2e-3, -2e-3, np.nan])
def test_other_work_is_no_result(value):
    with pytest.raises(ContestantError, match="failed: other work: results differ from minidl's"):
        difference([np.zeros(2)], [np.array([0, value])])


def test_other_shapes_are_no_result():
    with pytest.raises(ContestantError, match=r"failed: other work: shapes \[\(1, 3\)\]"):
        difference([np.zeros(3)], [np.zeros((1, 3))])


def test_amount():
    by_name = {w.name: w for w in WORKLOADS}
    assert amount(by_name["W1-64"]) == (1280, 1)
    assert amount(by_name["W2"]) == (60_000, 3)
