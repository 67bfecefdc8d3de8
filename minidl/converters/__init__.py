"""Models from other frameworks, and back: PyTorch, Keras, scikit-learn."""

from minidl.converters.keras_models import from_keras
from minidl.converters.pytorch import from_torch
from minidl.converters.sklearn_models import from_sklearn
from minidl.converters.to_pytorch import to_torch_state_dict
from minidl.converters.to_sklearn_models import to_sklearn

__all__ = ["from_keras", "from_sklearn", "from_torch", "to_sklearn", "to_torch_state_dict"]
