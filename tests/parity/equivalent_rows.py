"""What the tables of docs/build/coming-from-*.md say of another library."""

import inspect
import re
from pathlib import Path

import pytest
from test_docs_snippets import HERE, prepare, run

import docs.pictures

BUILD = Path(__file__).resolve().parents[2] / "docs" / "build"


def check_tables(
    page: str, names: dict, folder: Path, patch: pytest.MonkeyPatch, *, form: str = "{}"
) -> list[str]:
    """Evaluate the other library's side of a page's tables; return the defaults compared.

    Args:
        page: The file in docs/build/.
        names: The library's names, as the page has imported them, and its `__version__`.
        folder: Where the page's blocks run.
        patch: For the time of the test.
        form: What an expression stands in, such as "MLPClassifier({})".
    """
    expressions, defaults = [], []
    patch.setattr(docs.pictures, "equivalents", lambda _, rows: expressions.extend(rows))
    patch.setattr(docs.pictures, "other_defaults", lambda _, rows: defaults.extend(rows))
    prepare(patch, folder)
    for _ in run(BUILD / page, *HERE):
        pass
    assert expressions
    for theirs, _, _ in expressions:
        eval(form.format(theirs), names)
    for theirs, argument, value, _, _ in defaults:
        parameters = inspect.signature(eval(theirs, names).__init__).parameters
        assert parameters[argument].default == value, f"{theirs}({argument}=...)"
    version = re.search(r"\b\d+\.\d+", (BUILD / page).read_text())
    assert version
    assert names["__version__"].startswith(version[0])
    return [f"{theirs}.{argument}" for theirs, argument, *_ in defaults]
