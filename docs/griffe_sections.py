"""What the API pages show of docstrings; mkdocs.yml loads it into griffe."""

import re
from typing import Any

import griffe


class DocstringSections(griffe.Extension):
    """Reads "Example:" as griffe reads "Examples:", and leaves the docstrings of packages out.

    A package's docstring is for readers of the source; its API page has an introduction.
    """

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Change one object's docstring before griffe parses it."""
        if obj.docstring is None:
            return
        if obj.is_module and obj.is_init_module:
            obj.docstring = None
            return
        obj.docstring.value = re.sub(
            r"^( *)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE
        )
