"""The names of the reference: tables of them for the pages, and the pages that follow from them.

A room in `PAGE_PER_MODULE` has a page a module, which `docs/hooks/reference_pages.py` adds to the
site, so that a new layer has its page as soon as it is exported. The `index.md` of such a room, and
the pages of all other rooms, are written by hand.
"""

import inspect
import re
from collections.abc import Iterable
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec

import minidl as dl

PAGE_PER_MODULE = [
    *("containers", "datasets", "layers", "losses", "metrics", "optimizers", "training"),
]


def by_alphabet(names: Iterable[str]) -> list[str]:
    """Names as a reader looks for them, whatever their case."""
    return sorted(names, key=str.lower)


class Room:
    """A module or package of minidl with its public names."""

    def __init__(self, name: str) -> None:
        self.module = import_module(f"minidl.{name}")
        self.shown: set[str] = set()  # the names that stood in a table

    @cached_property
    def names(self) -> list[str]:
        """The public names, from A to Z."""
        names = getattr(self.module, "__all__", None)
        if names is None:  # a room of one file
            names = [
                name
                for name, value in vars(self.module).items()
                if not name.startswith("_")
                and getattr(value, "__module__", "") == self.module.__name__
            ]
        return by_alphabet(names)

    def identifier(self, name: str) -> str:
        """What mkdocstrings calls a name, and links lead to.

        That is `minidl.layers.Dense`; the whole path only where a module of that name is in the
        way, as for the function `minidl.datasets.batches.batches`.
        """
        path = f"{self.module.__name__}.{name}"
        if hasattr(self.module, "__path__") and find_spec(path) is not None:
            return f"{path}.{name}"
        return path

    def line(self, name: str) -> str:
        """The first sentence of a name's docstring, for a cell of a table."""
        text = inspect.getdoc(getattr(self.module, name)) or ""
        paragraph = " ".join(text.split("\n\n")[0].split())
        sentence = re.split(r"(?<=\.) (?=[A-Z])", paragraph)[0]
        return sentence.replace("|", r"\vert{}")  # in formulas; a bare bar would end the cell

    def link(self, name: str) -> str:
        """A name that leads to its entry."""
        return f"[`{name}`][{self.identifier(name)}]"

    def links(self, *names: str) -> str:
        """Links to these names, or to all."""
        return ", ".join(map(self.link, names or self.names))

    def table(self, *names: str) -> str:
        """A table of these names, or of all, with a line each."""
        self.shown.update(names or self.names)
        return table([self.link(name), self.line(name)] for name in names or self.names)

    def others(self) -> str:
        """A section for the names that stood in no table before."""
        left = [name for name in self.names if name not in self.shown]
        return f"## Others\n\n{self.table(*left)}" if left else ""

    def modules(self) -> dict[str, list[str]]:
        """The files of a package with their public names, functions before classes."""
        found: dict[str, list[str]] = {}
        for name in sorted(self.names, key=lambda n: inspect.isclass(getattr(self.module, n))):
            file = getattr(self.module, name).__module__.rpartition(".")[2]
            found.setdefault(file, []).append(name)
        return dict(sorted(found.items(), key=lambda item: item[1][0].lower()))

    def page(self, names: list[str]) -> str:
        """The Markdown of a page for one file: a lone name is the heading of the page itself."""
        title = " and ".join(names)
        level = 1 if len(names) == 1 else 2
        entries = [
            f"::: {self.identifier(name)}\n"
            "    options:\n"
            f"      heading_level: {level}\n"
            "      show_root_heading: true\n"
            "      show_root_toc_entry: true\n"
            for name in names
        ]
        heading = [f"# {title}\n"] if level == 2 else []
        return "\n".join([f"---\ntitle: {title}\n---\n", *heading, *entries])


def table(rows: Iterable[list[str]]) -> str:
    """Names and what they are, as a Markdown table."""
    head = ["| name | what it is |", "|---|---|"]
    return "\n".join([*head, *(f"| {name} | {line} |" for name, line in rows)])


def room_of(name: str) -> Room:
    """The room of a class or function that `dl` has."""
    parts = getattr(dl, name).__module__.split(".")
    return Room(".".join(parts[1:3] if parts[2:3] == ["schedules"] else parts[1:2]))


def a_to_z() -> str:
    """The table of every class and function that `dl` has."""
    names = [name for name in by_alphabet(dl.__all__) if callable(getattr(dl, name))]
    return table([room_of(name).link(name), room_of(name).line(name)] for name in names)
