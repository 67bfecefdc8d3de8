"""What all commands have in common: the form of their help, and arguments that several take."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]


class Parser(argparse.ArgumentParser):
    """A parser whose texts stand as they are written, and that takes no abbreviated options."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)


def epilog(examples: str) -> str:
    """Examples as they stand at the end of a help text."""
    return "examples:\n" + "\n".join(f"  {line}" for line in examples.strip().splitlines())


def new_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    summary: str,
    examples: str,
    description: str = "",
) -> Parser:
    """Add a command; its summary stands in the list of all commands, too."""
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{description.strip()}".strip(),
        epilog=epilog(examples),
    )
    command.set_defaults(run=run)
    return command


def add_model_file(command: Parser) -> None:
    """Add the argument FILE."""
    command.add_argument(
        "file", metavar="FILE", help="a model, as model.save and checkpoints write it"
    )


def add_data(command: Parser) -> None:
    """Add the argument DATA and the options that say what is in it."""
    add = command.add_argument
    add(
        "data",
        metavar="DATA",
        help=".npy, .npz (arrays x and y), .csv, an image, an IDX file (ubyte), a folder with "
        "MNIST's files, or the name of a data set, such as mnist",
    )
    add("--target", metavar="COLUMN", help="column of a CSV file that holds the answers")
    add("--features", metavar="A,B,...", type=_names, help="columns of the inputs (all others)")
    add("--classes", metavar="A,B,...", type=_names, help="names of the classes, in their order")
    add(
        "--divide-by",
        metavar="NUMBER",
        type=float,
        default=1.0,
        help="divide the inputs by it: 255 for raw pixels and a model that was trained on 0 to 1",
    )


def add_force(command: Parser) -> None:
    """Add the option --force."""
    command.add_argument("--force", action="store_true", help="replace files that exist")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]
