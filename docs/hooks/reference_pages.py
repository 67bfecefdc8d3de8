"""Adds the pages of the reference that follow from the source, one a file of the large rooms.

In the navigation they stand behind the `index.md` of their room. Where a page of that path is
written by hand, it is taken instead. mkdocs.yml loads this as a hook.
"""

import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from docs.reference import PAGE_PER_MODULE, Room  # noqa: E402


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages to the site and to its navigation."""
    for name in PAGE_PER_MODULE:
        room, section = Room(name), section_of(f"api/{name}/index.md", config["nav"])
        for file, names in room.modules().items() if section else ():
            path = f"api/{name}/{file}.md"
            section.append({" and ".join(names): path})
            if files.get_file_from_path(path) is None:
                files.append(File.generated(config, path, content=room.page(names)))
    return files


def section_of(index: str, nav: list[Any] | None) -> list[Any] | None:
    """The part of the navigation that begins with this page."""
    if nav and nav[0] == index:
        return nav
    parts = [part for item in nav or () if isinstance(item, dict) for part in item.values()]
    found = (section_of(index, part) for part in parts if isinstance(part, list))
    return next(filter(None, found), None)
