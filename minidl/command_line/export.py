"""`minidl export`: a model for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from minidl.command_line.words import add_force, add_model_file, new_command

if TYPE_CHECKING:
    from minidl.command_line.words import Commands

ENDS = {"onnx": ".onnx", "c": ".h", "numpy": ".py"}
EXAMPLES = """
minidl export digits.safetensors --to onnx
minidl export digits.safetensors --to c --weights int8 -o firmware/digits.h
minidl export digits.safetensors --to numpy
"""
DESCRIPTION = """
onnx   for ONNX Runtime and other engines (needs pip install minidl[onnx])
c      one C99 header without dependencies, for microcontrollers
numpy  one Python file that needs NumPy only
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "write a model as ONNX, as C or as NumPy code"
    command = new_command(commands, "export", run, summary, EXAMPLES, DESCRIPTION)
    add_model_file(command)
    add = command.add_argument
    add("--to", required=True, choices=ENDS, help="what to write")
    add("-o", "--output", metavar="OUT", help="the file (FILE with another end)")
    add("--weights", choices=("float32", "int8"), default="float32", help="numbers of the C header")
    add_force(command)


def run(arguments: argparse.Namespace) -> None:
    """Read, write, say what was written."""
    import minidl as dl
    from minidl.command_line.files import free_path
    from minidl.errors import ArgumentError
    from minidl.onnx import export_onnx
    from minidl.standalone.c_export import export_c
    from minidl.standalone.numpy_export import export_numpy

    if arguments.weights != "float32" and arguments.to != "c":
        raise ArgumentError(f"export: --weights {arguments.weights} goes with --to c only.")
    source = Path(arguments.file)
    output = Path(arguments.output) if arguments.output else None
    path = free_path(output or source.with_suffix(ENDS[arguments.to]), arguments.force, source)
    model = dl.load(arguments.file)
    if arguments.to == "onnx":
        export_onnx(model, path)
        print(f"written: {path}\nbytes: {path.stat().st_size}")
        return
    if arguments.to == "c":
        report = export_c(model, path, weights=arguments.weights)
    else:
        report = export_numpy(model, path)
    print(f"written: {path}\nbytes: {report.file_bytes}\nweight_bytes: {report.weight_bytes}")
    print(f"rows_compared: {report.rows}\nlargest_difference: {report.largest_difference:.3g}")
    if arguments.to == "c":
        print(f"compiled_and_tested: {'yes' if report.compiled else 'no, there is no C compiler'}")
