"""Every Python block of README.md and of the documentation runs, without mkdocs and without MNIST.

A page's blocks run in order, in one namespace, as a reader would type them; docs/hooks says which
kinds there are (run_blocks.py). The site shows what they print when it is built. README.md, and
blocks that need other libraries, have it in a ```text block right after the ```python block: words
and whole numbers must be the same; decimal fractions may differ a little, because another CPU adds
up in another order. Where that is no longer printed, and the new output is right,

    python tests/test_docs_snippets.py [PAGE...]

writes it into the pages. Then read them: a sentence may speak of the old one.
"""

import contextlib
import io
import linecache
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import minidl as dl
from docs.pictures.style import STYLE

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"^(?P<indent> *)```python(?P<kind>[^\n]*)\n(?P<code>.*?)^(?P=indent)```[ ]*\n"
    r"(?:\s*^(?P=indent)```text[^\n]*\n(?P<output>.*?)^(?P=indent)```[ ]*$)?",
    flags=re.MULTILINE | re.DOTALL,
)
WORD = re.compile(r"[-+]?\d+(?:\.\d+)?|\w+|[^\s\w]")


@dataclass(frozen=True)
class Block:
    line: int
    code: str
    output: str | None
    kind: str = ""
    span: tuple[int, int] = field(default=(0, 0), compare=False)  # of the output, in the page


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        code, output = (
            None if part is None else re.sub(rf"^{match['indent']}", "", part, flags=re.MULTILINE)
            for part in match.group("code", "output")
        )
        found.append(Block(line, code, output, match["kind"].strip(), match.span("output")))
    return found


def pages_with(*kinds: str) -> list[Path]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if any(block.kind in kinds for block in blocks_of(page))]


HERE = ("", "hidden")  # what the pages claim (check) is of the real MNIST: the built site tells
PAGES = pages_with(*HERE)
WITH_OTHER_LIBRARIES = pages_with("elsewhere")  # see tests/parity


def prepare(patch: pytest.MonkeyPatch, folder: Path | str) -> None:
    """An empty folder, no display, and drawn digits where the page loads MNIST."""

    @wraps(dl.load_mnist)  # the reference finds a function's page by its module
    def drawn_digits(data_dir=None):
        return dl.synthetic_digits(400, rng=0), dl.synthetic_digits(100, rng=1)

    patch.chdir(folder)
    patch.setenv("MPLBACKEND", "Agg")
    patch.setattr(dl, "load_mnist", drawn_digits)
    np.random.seed(0)  # noqa: NPY002, for libraries that a snippet may use


def run(page: Path, *kinds: str) -> Iterator[tuple[Block, str]]:
    """Run a page's blocks of some kinds; give each with what it printed."""
    namespace = {"__name__": "__main__"}
    linecache.checkcache(str(page))
    with np.printoptions():  # which a page may change
        for block in blocks_of(page):
            if block.kind not in kinds:
                continue
            # The empty lines make a traceback point at the line of the page.
            code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(code, namespace)
            yield block, printed.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run_and_print_what_the_page_says(page, tmp_path, monkeypatch):
    prepare(monkeypatch, tmp_path)
    with mpl.rc_context(STYLE):
        for block, printed in run(page, *HERE):
            if block.output is not None:
                assert_same_output(printed, block.output, f"{page.name}, line {block.line}")


def test_pages_have_no_other_kinds_of_blocks():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    kinds = {block.kind for page in pages for block in blocks_of(page)}
    assert kinds <= {*HERE, "check", "elsewhere"}


def test_the_site_prints_by_itself():
    """A ```text block after a block that the site runs would stand there twice."""
    for page in (ROOT / "docs").rglob("*.md"):
        for block in blocks_of(page):
            assert block.output is None or block.kind == "elsewhere", f"{page}, line {block.line}"


def refresh(page: Path) -> None:
    """Write what the blocks print into the page, where it shows their output."""
    text = page.read_text(encoding="utf-8")
    for block, printed in reversed(list(run(page, *HERE, "elsewhere"))):
        if block.output is not None:
            lines = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
            text = text[: block.span[0]] + lines + text[block.span[1] :]
    page.write_text(text, encoding="utf-8")


def assert_same_output(got: str, shown: str, where: str) -> None:
    message = f"{where} prints\n{got}\nbut the page shows\n{shown}"
    got_words, shown_words = (WORD.findall(text) for text in (got, shown))
    assert len(got_words) == len(shown_words), message
    for word, expected in zip(got_words, shown_words, strict=True):
        assert same_word(word, expected), f"{word} is not {expected}: {message}"


def same_word(word: str, expected: str) -> bool:
    if not re.fullmatch(r"[-+]?\d+\.\d+", expected):  # whole numbers are exact, as words are
        return word == expected
    last_digit = 10.0 ** -len(expected.partition(".")[2])
    with contextlib.suppress(ValueError):
        return float(word) == pytest.approx(float(expected), rel=0.05, abs=2 * last_digit)
    return False


def test_a_wrong_output_is_noticed():
    assert_same_output("loss 2.301, (64, 10)", "loss 2.302, (64, 10)", "here")
    for got in ["loss 2.5, (64, 10)", "loss 2.302, (64, 11)", "lose 2.302, (64, 10)", "loss -"]:
        with pytest.raises(AssertionError, match="but the page shows"):
            assert_same_output(got, "loss 2.302, (64, 10)", "here")


def test_blocks_are_found_with_their_lines_and_outputs(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n"
        "- item\n\n    ```python hidden\n    x = 2\n    ```\n\ntext\n\n```text\nnot output\n```\n"
    )
    assert blocks_of(page) == [Block(4, "print(1)\n", "1\n"), Block(14, "x = 2\n", None, "hidden")]


def test_refresh_writes_what_is_printed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(2)\n```\n\n```text\n1\n```\n\ntext\n")
    refresh(page)
    assert page.read_text() == "```python\nprint(2)\n```\n\n```text\n2\n```\n\ntext\n"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or PAGES):
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
            prepare(patch, folder)
            refresh(path)
