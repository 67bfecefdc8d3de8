"""Layers: each file is one formula and its derivative."""

from minidl.layers.base import Layer
from minidl.layers.dense import Dense
from minidl.layers.dropout import Dropout
from minidl.layers.flatten import Flatten
from minidl.layers.relu import ReLU
from minidl.layers.sigmoid import Sigmoid
from minidl.layers.softmax import Softmax
from minidl.layers.tanh import Tanh

__all__ = ["Dense", "Dropout", "Flatten", "Layer", "ReLU", "Sigmoid", "Softmax", "Tanh"]
