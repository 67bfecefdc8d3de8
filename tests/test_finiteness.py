import numpy as np
import pytest

from minidl.errors import DataError
from minidl.finiteness import is_finite, raise_for_non_finite

floats = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])


@floats
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("place", [0, 7, 23])
def test_one_bad_element_is_found_wherever_it_is(dtype, bad, place):
    a = np.ones(24, dtype)
    assert is_finite(a)
    a[place] = bad
    assert not is_finite(a)
    assert not is_finite(a.reshape(2, 3, 4).T)


@floats
def test_infinities_of_both_signs_are_found(dtype):
    assert not is_finite(np.array([np.inf, 0, -np.inf, 1], dtype))


@floats
def test_large_numbers_whose_squares_overflow_are_finite(dtype):
    assert is_finite(np.full(100, np.finfo(dtype).max, dtype))


@pytest.mark.parametrize(
    "a",
    [np.zeros((0, 3)), np.ones(3, int), np.ones((2, 2), bool), np.array(2.0), np.ones(9)[::2]],
    ids=["empty", "integers", "bool", "scalar", "strided"],
)
def test_other_arrays_are_finite(a):
    assert is_finite(a)


def test_complex_numbers():
    assert is_finite(np.array([1j, 2.0]))
    assert not is_finite(np.array([complex(0, np.nan), 2.0]))


def test_finite_data_raises_nothing():
    raise_for_non_finite(np.ones((3, 2)), "x")
    raise_for_non_finite(np.ones(3, int), "x")


def table(shape, *places, value=np.nan):
    x = np.zeros(shape)
    for place in places:
        x[place] = value
    return x


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (table((3, 2), (1, 0)), "x has NaN in row 1, column 0. "),
        (table((3, 2), (0, 1), (2, 0)), "x has NaN in rows 0, 2, columns 0, 1. "),
        (table((3, 2), (1, 1), value=-np.inf), "x has infinity in row 1, column 1. "),
        (np.array([[np.nan, np.inf]]), "x has NaN and infinity in row 0, columns 0, 1. "),
        (table((2, 2, 3), (1, 1, 2)), r"x has NaN in row 1, column 5 \(flattened\). "),
        (table(4, 2), "x has NaN in row 2. "),
        (table(8, slice(None)), "x has NaN in rows 0, 1, 2, 3, 4, 5, 6, 7. "),
        (table(20, slice(5, None)), "in rows 5, 6, 7, 8, 9, 10, 11, 12 and 7 more. "),
        (table((2, 3000), 0), "row 0, columns 0, 1, 2, 3, 4, 5, 6, 7 and 2,992 more. "),
    ],
    ids=["one", "two", "infinity", "both", "image", "vector", "eight", "many rows", "many columns"],
)
def test_the_message_says_where(x, message):
    with pytest.raises(DataError, match=message + r"Remove or fill these values before, for ex"):
        raise_for_non_finite(x, "x")


def test_rows_of_a_selection_are_named_by_their_numbers_in_the_whole():
    x = table((3, 2), (0, 1), (2, 1))
    with pytest.raises(DataError, match=r"^batch has NaN in rows 5, 90, column 1\."):
        raise_for_non_finite(x, "batch", rows=np.array([90, 7, 5]))
