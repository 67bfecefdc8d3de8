"""Trained models as single files that need neither minidl nor, in C, Python."""

from minidl.standalone.c_export import export_c
from minidl.standalone.numpy_export import export_numpy
from minidl.standalone.report import ExportReport

__all__ = ["ExportReport", "export_c", "export_numpy"]
