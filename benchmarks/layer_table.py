"""The table of layers: how exact each is, and how long.

    python benchmarks/layer_table.py

Prints a Markdown table with one line for each public layer: the worst relative error of its
gradients against central differences over its rows of tests/cases.py, the worst difference of its
output to the reference of those rows, the worst difference of output and gradients to PyTorch
(where the environment has it), and the lines of code of its file without docstrings, comments and
blank lines.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

import minidl as dl

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))


def lines_of_code(path: str) -> int:
    """Lines of a file that Python executes."""
    source = Path(path).read_text(encoding="utf-8")
    tree = ast.parse(source)
    prose: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            prose |= set(range(text.lineno, text.end_lineno + 1))
    lines = enumerate(source.splitlines(), start=1)
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in prose
        for number, line in lines
    )


def errors_of_cases() -> dict[str, tuple[int, float, float]]:
    """Rows, worst gradient error and worst difference to the reference, by class."""
    from cases import CASES

    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for case in CASES.values():
        gradient = dl.check_layer(case.make(), case.input_shape, inputs=case.inputs(3)).worst
        model, x = case.build(), case.inputs(5)
        expected = case.reference(model, x)
        difference = np.abs(model.predict(x) - expected).max() / max(np.abs(expected).max(), 1.0)
        found[type(case.make()).__name__].append((gradient, float(difference)))
    return {
        name: (len(rows), max(g for g, _ in rows), max(d for _, d in rows))
        for name, rows in found.items()
    }


def differences_to_torch() -> dict[str, float]:
    """The worst difference that the tests of parity meet, by class; they are run here."""
    try:
        from parity import comparison
    except ImportError:
        return {}
    import pytest

    worst: dict[str, float] = defaultdict(float)
    compare = comparison.compare

    def noting(layer: dl.Layer, *args: object, **options: object) -> float:
        difference = compare(layer, *args, **options)
        name = type(layer).__name__
        worst[name] = max(worst[name], float(difference))
        return difference

    comparison.compare = noting
    with contextlib.redirect_stdout(io.StringIO()) as output:
        files = [str(path) for path in sorted((ROOT / "tests" / "parity").glob("test_torch*.py"))]
        failed = pytest.main(["-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", *files])
    if failed:
        raise SystemExit(output.getvalue())
    return worst


def main() -> None:
    cases, torch = errors_of_cases(), differences_to_torch()
    print(
        "| layer | cases | worst gradient error | worst difference to the reference "
        "| to PyTorch | lines of code |\n|---|---|---|---|---|---|"
    )
    total = 0
    for name in sorted(cases, key=str.lower):
        rows, gradient, difference = cases[name]
        lines = lines_of_code(inspect.getfile(getattr(dl, name)))
        total += lines
        beside = f"{torch[name]:.1e}" if name in torch else ""
        print(f"| `{name}` | {rows} | {gradient:.1e} | {difference:.1e} | {beside} | {lines} |")
    print(f"\n{len(cases)} layers and containers, {total:,} lines of code.")


if __name__ == "__main__":
    main()
