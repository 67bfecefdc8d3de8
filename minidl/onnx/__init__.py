"""Models in ONNX, the format that runtimes and other frameworks read."""

from minidl.onnx.exporting import export_onnx
from minidl.onnx.importing.model import import_onnx

__all__ = ["export_onnx", "import_onnx"]
