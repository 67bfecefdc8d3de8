"""Tables of what is called what in another library.

minidl's side of a row is Python that is evaluated when the page is built, so a name that is gone
stops the build. The other side is evaluated by tests/parity/, where the library is installed.
"""

import inspect
from collections.abc import Iterable

import minidl as dl
from docs.pictures.page import table


def equivalents(library: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Write a table of expressions that make the same thing.

    Args:
        library: The name of the other one.
        rows: The other library's expression, minidl's, and what to know (Markdown, may be empty).
    """
    cells = []
    for theirs, ours, note in rows:
        eval(ours, {"dl": dl})
        cells.append((f"`{theirs}`", f"`{ours}`", note))
    table([library, "minidl", "to know"], cells)


def other_defaults(library: str, rows: Iterable[tuple[str, str, object, str, str]]) -> None:
    """Write a table of arguments whose defaults differ.

    Args:
        library: The name of the other one.
        rows: Its class, the argument and its default there; minidl's class and argument.
    """
    cells = []
    for theirs, argument, value, ours, our_argument in rows:
        default = inspect.signature(eval(ours, {"dl": dl})).parameters[our_argument].default
        if default == value:
            raise ValueError(f"{theirs} and {ours} have the same default, {argument}={value}")
        shown = f"`{ours}({our_argument}={default!r})`"
        if default is inspect.Parameter.empty:
            shown = f"`{ours}({our_argument})`, which has no default"
        cells.append((f"`{theirs}({argument}={value!r})`", shown))
    table([library, "minidl"], cells)
