"""Files: models as safetensors, and files that are written whole or not at all."""

from minidl.io.model_file import load

__all__ = ["load"]
