"""The page of a training step, as it is given to the user."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minidl.errors import ArgumentError
from minidl.explaining.blocks import Block
from minidl.explaining.web_page import html_page, html_part
from minidl.io.whole_files import make_folder_of, replacing


@dataclass(frozen=True)
class StepExplanation:
    """What `explain_step` returns: a page, in two forms. A notebook shows it as it is.

    Attributes:
        title: What the page is about.
        blocks: Its headings, sentences and formulas.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(1)]).build((2,), rng=0)
        >>> x, y = np.array([[1.0, 2.0]]), np.array([[3.0]])
        >>> page = dl.explain_step(model, x, y, dl.MeanSquaredError(), dl.Adam(0.1))
        >>> [line for line in page.markdown.splitlines() if line.startswith("## ")][:3]
        ['## Before the step', '## Forward', '## The loss']
    """

    title: str
    blocks: Sequence[Block]

    @property
    def markdown(self) -> str:
        """The page in Markdown, with formulas in LaTeX between dollar signs; without the title."""
        return "\n\n".join(block.markdown for block in self.blocks) + "\n"

    @property
    def html(self) -> str:
        """The page as a whole HTML file, which loads nothing: formulas are in MathML."""
        return html_page(self.title, self.blocks)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file.

        Args:
            path: A name that ends in .md or .html.

        Raises:
            ArgumentError: If the name ends otherwise.
        """
        path = Path(path).expanduser()
        kind = path.suffix.lower()
        if kind not in (".md", ".html"):
            raise ArgumentError(
                f"explain_step: writes Markdown or HTML, got the name {path.name!r}. Name it "
                f"{path.stem}.md or {path.stem}.html."
            )
        make_folder_of(path, "explain_step")
        content = self.html if kind == ".html" else f"# {self.title}\n\n{self.markdown}"
        with replacing(path) as file:
            file.write(content.encode())

    def _repr_html_(self) -> str:
        return html_part(self.blocks)

    def __str__(self) -> str:
        return self.markdown
