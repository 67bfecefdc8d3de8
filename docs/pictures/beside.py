"""Formulas beside the code that computes them: two columns, below one another on a phone.

A page that uses them loads docs/assets/stylesheets/beside.css.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterable


def beside(rows: Iterable[tuple[str, str]]) -> None:
    """Write rows of Markdown on the left (a heading and a formula) and Python on the right."""
    print('<div class="beside" markdown="1">\n')
    for text, code in rows:
        print(f'<div markdown="1">\n\n{text}\n\n</div>\n')
        print(f'<div markdown="1">\n\n```python\n{code}\n```\n\n</div>\n')
    print("</div>\n")


def lines_of(function: Callable[..., object], *beginnings: str) -> str:
    """Return those lines of a function's source that begin so, comments moved above their lines.

    Raises:
        LookupError: If a line is no longer there, so that the page that shows it is not built.
    """
    source = textwrap.dedent(inspect.getsource(function)).splitlines()
    shown: list[str] = []
    deepest = 0  # what stands between two shown lines may have opened a block
    for beginning in beginnings:
        found = [line for line in source if line.strip().startswith(beginning)]
        if len(found) != 1:
            raise LookupError(f"{function.__qualname__} has {len(found)} lines like {beginning!r}")
        code, _, comment = found[0].partition("  # ")
        indent = min(len(code) - len(code.lstrip()) - 4, deepest)
        deepest = indent + 4 * code.endswith(":")
        if comment:
            shown.append(" " * indent + "# " + comment)
        shown.append(" " * indent + code.lstrip())
    return "\n".join(shown)
