"""Trained models as single files that need neither minidl nor, in C, Python."""

from minidl.standalone.export_c import export_c
from minidl.standalone.export_numpy import export_numpy
from minidl.standalone.report import ExportReport

__all__ = ["ExportReport", "export_c", "export_numpy"]
