"""Code that pages show beside formulas is the source as it is now."""

import pytest

from docs.pictures import beside, lines_of


def stepwise(x):
    """A function to take lines from."""
    y = 2 * x  # (N, M)
    for _ in range(3):
        if y > 10:
            y -= 1
    return y


def test_lines_keep_their_order_and_blocks_and_have_comments_above():
    assert lines_of(stepwise, "y = ", "for _", "y -= ", "return y") == (
        "# (N, M)\ny = 2 * x\nfor _ in range(3):\n    y -= 1\nreturn y"
    )


@pytest.mark.parametrize(("beginning", "count"), [("z = ", 0), ("y", 2)])
def test_a_line_that_is_gone_or_not_the_only_one_raises(beginning, count):
    with pytest.raises(LookupError, match=f"stepwise has {count} lines like '{beginning}'"):
        lines_of(stepwise, beginning)


def test_formula_and_code_stand_in_cells_next_to_each_other(capsys):
    beside([("$$y = 2x$$", "y = 2 * x")])
    page = capsys.readouterr().out
    assert page.count('<div markdown="1">') == 2
    assert page.index("$$y = 2x$$") < page.index("```python\ny = 2 * x\n```")
