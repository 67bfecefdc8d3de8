"""Runs the Python blocks of pages while mkdocs builds them; mkdocs.yml loads it as a hook.

All blocks of a page run in order, in one namespace, in an empty folder. What follows ```python says
what becomes of a block:

    ```python            is shown, and what it prints stands below it
    ```python hidden     is not shown; what it prints is Markdown, put in its place
    ```python check      is not shown and prints nothing: it asserts what the text around it claims,
                         where the real MNIST is at hand
    ```python elsewhere  is shown as it is, and run by tests/parity, which has its packages

markdown-exec runs them; a block that raises, or warns, makes a strict build fail.
"""

import contextlib
import io
import logging
import os
import posixpath
import re
import sys
import tempfile
import traceback
import warnings
from functools import partial, wraps
from pathlib import Path

import matplotlib as mpl
import numpy as np
from markdown_exec import ExecutionError, base_format, formatters
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # blocks import docs.pictures and examples
os.environ.setdefault("MPLBACKEND", "Agg")

import minidl as dl  # noqa: E402
from docs.pictures.style import STYLE  # noqa: E402

log = logging.getLogger("mkdocs.hooks.run_blocks")

LINK = re.compile(r"\]\((?P<path>[\w./-]+\.\w+)(?P<place>#[^)]*)?\)")
OPENING = re.compile(r"^(?P<indent> *)```python(?: (?P<kind>\w+))?$", flags=re.MULTILINE)
USES_MNIST = re.compile(
    r"^ *```python(?: \w+)?\n(?:(?! *```).*\n)*?.*load_mnist\(\)", flags=re.MULTILINE
)
PRINT_OPTIONS = np.get_printoptions()
WITHOUT_MNIST = """!!! note
    MNIST was not at hand when this copy of the page was built: its code ran on digits that minidl
    draws. What the text says of MNIST was not checked.

"""


class Page:
    """The page that is being built: its blocks' namespace and folder."""

    def __init__(self, file: File, files: Files) -> None:
        self.file, self.files, self.name = file, files, file.src_uri
        self.namespace: dict[str, object] = {"__name__": "__main__"}
        self.folder = tempfile.TemporaryDirectory()
        np.set_printoptions(**PRINT_OPTIONS)

    def run(self, code: str, *, shown: bool, check: str = "", **_: object) -> str:
        """Run one block; return its output as Markdown."""
        if check and not Building.has_mnist:
            return ""
        printed = io.StringIO()
        with (
            mpl.rc_context(STYLE),
            contextlib.redirect_stdout(printed),
            contextlib.chdir(self.folder.name),
            warnings.catch_warnings(action="error"),
        ):
            try:
                exec(compile(code, self.name, "exec"), self.namespace)
            except Exception as error:
                raise ExecutionError(f"{self.name}\n{traceback.format_exc()}") from error
        output = printed.getvalue()
        if shown:
            return f"````text\n{output}````" if output else ""
        return LINK.sub(self.link, output)

    def link(self, match: re.Match[str]) -> str:
        """Make a link to another page's file one to the page: mkdocs sees only those in texts."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), match["path"]))
        target = self.files.get_file_from_path(path)
        if target is None:
            log.warning("%s: a block prints a link to %s, which does not exist", self.name, path)
            return match[0]
        return f"]({target.url_relative_to(self.file)}{match['place'] or ''})"


class Building:
    """What one build needs to know from page to page."""

    page: Page
    has_mnist = True


def format_python(*, source: str = "", **options: object) -> str:
    """Let markdown-exec show a block, run by its page rather than with a `print` of its own."""
    run = partial(Building.page.run, shown=bool(source))
    return base_format(language="python", run=run, source=source, **options)


def on_config(config: object) -> None:
    """Find MNIST, or have the pages use drawn digits; take over the Python blocks."""
    formatters["python"] = format_python
    try:
        dl.load_mnist()
    except dl.DatasetNotFoundError as error:
        log.info("MNIST is not at hand, pages use drawn digits: %s", error)
        digits = dl.synthetic_digits(12_000, rng=0), dl.synthetic_digits(2_000, rng=1)
        # Under the name of the real one: the reference finds a function's page by its module.
        dl.load_mnist = wraps(dl.load_mnist)(lambda data_dir=None: digits)
        Building.has_mnist = False


def on_page_markdown(markdown: str, page: MkDocsPage, files: Files, **_: object) -> str:
    """Mark the page's blocks for markdown-exec."""
    Building.page = Page(page.file, files)

    def mark(opening: re.Match[str]) -> str:
        attributes = {
            None: ' exec="1" source="above"',
            "hidden": ' exec="1"',
            "check": ' exec="1" check="1"',
            "elsewhere": "",
        }
        return f"{opening['indent']}```python{attributes[opening['kind']]}"

    if not Building.has_mnist and USES_MNIST.search(markdown):
        markdown = re.sub(r"^(# .*\n\n)", rf"\1{WITHOUT_MNIST}", markdown, count=1, flags=re.M)
    return OPENING.sub(mark, markdown)
