"""The reference holds every public name once; what mkdocs makes of it is tested in a browser."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

import minidl as dl
from docs.reference import PAGE_PER_MODULE, Room, a_to_z, room_of

ROOT = Path(__file__).resolve().parents[2]
API = ROOT / "docs" / "api"
NAMES = [name for name in dl.__all__ if callable(getattr(dl, name))]
ENTRY = re.compile(r"^::: (?P<path>[\w.]+)\n(?P<options>(?:    .*\n)*)", flags=re.MULTILINE)


def pages():
    """The text of every page by its path, those that are made from the source among them."""
    written = {path.relative_to(API).as_posix(): path.read_text() for path in API.rglob("*.md")}
    made = {
        f"{room}/{file}.md": Room(room).page(names)
        for room in PAGE_PER_MODULE
        for file, names in Room(room).modules().items()
    }
    return made | written


def entries(text):
    """The names that a page's `:::` lines show, by the identifiers that links lead to."""
    for entry in ENTRY.finditer(text):
        room = entry["path"].removeprefix("minidl.")
        module = ROOT / "minidl" / room.replace(".", "/")
        if module.is_dir() or module.with_suffix(".py").is_file():
            left_out = re.findall(r'"!\^(\w+)\$?"', entry["options"])
            for name in names_of(room):
                if not any(name == out or name.startswith(out) for out in left_out):
                    yield f"minidl.{room}.{name}"
        else:
            yield entry["path"]


def names_of(room):
    if room != "sklearn":
        return Room(room).names
    tree = ast.parse((ROOT / "minidl" / "sklearn" / "__init__.py").read_text())  # not imported
    lists = [ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign)]
    return lists[-1]


def test_every_public_name_has_one_entry():
    entry_counts = Counter(entry for text in pages().values() for entry in entries(text))
    assert [entry for entry, count in entry_counts.items() if count > 1] == []
    needed = {room_of(name).identifier(name) for name in NAMES}
    needed |= {
        f"minidl.{room}.{name}" for room in ("sklearn", "testing") for name in names_of(room)
    }
    assert needed - set(entry_counts) == set()


def test_every_name_is_two_clicks_from_the_start_page():
    index = (API / "index.md").read_text()
    assert "a_to_z()" in index
    table = a_to_z()
    assert [name for name in NAMES if f"[`{name}`][" not in table] == []


@pytest.mark.parametrize("room", PAGE_PER_MODULE)
def test_the_index_of_a_room_shows_a_name_that_nobody_put_into_a_table(room):
    assert f"print({room}.others())" in (API / room / "index.md").read_text()


def test_a_page_of_several_names_has_a_heading_of_its_own():
    page = Room("datasets").page(["batches", "Batches"])
    assert "\n# batches and Batches\n" in page
    assert page.count("heading_level: 2") == 2
    assert Room("layers").page(["Dense"]).count("heading_level: 1") == 1


def test_lines_of_tables_hold_one_sentence_and_no_bare_bar():
    assert Room("layers").line("Dense") == "Fully connected layer, $y = x W + b$."
    assert "|" not in Room("regularization").line("L1")


def test_names_that_no_table_shows_stand_in_a_section_of_their_own():
    room = Room("containers")
    room.table("Sequential", "Residual", "Parallel")
    others = room.others()
    assert others.startswith("## Others\n")
    assert "`Bidirectional`" in others
    assert room.others() == ""
