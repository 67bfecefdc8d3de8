import numpy as np
import pytest

from minidl.buffers import Block, batch_empty


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (4, 3, 2), (2, 3, 4, 5)])
def test_blocks_and_arrays_have_the_shape_asked_for(shape):
    assert batch_empty(6, shape, np.float32).shape == (6, *shape)
    block = Block(shape, np.float64)
    for n in (2, 7, 3):
        rows = block.rows(n)
        assert rows.shape == (n, *shape)
        assert rows.dtype == np.float64


def test_images_lie_batch_innermost_and_all_else_in_c_order():
    assert batch_empty(6, (4, 3, 2), np.float32).strides[0] == 4
    assert batch_empty(6, (4, 3), np.float32).flags.c_contiguous


def test_a_block_grows_and_never_shrinks():
    block = Block((4, 3, 2), np.float32)
    large = block.rows(8)
    small = block.rows(3)
    assert np.shares_memory(large, small)
    assert small.transpose(3, 1, 2, 0).flags.c_contiguous  # laid out anew, not sliced
    assert block.rows(3) is small
    assert np.shares_memory(block.rows(8), large)
    assert not np.shares_memory(block.rows(9), large)
