"""Layers: each file is one formula and its derivative."""

from minidl.layers.average_pool2d import AveragePool2D
from minidl.layers.base import Layer
from minidl.layers.batch_norm import BatchNorm
from minidl.layers.conv1d import Conv1D
from minidl.layers.conv2d import Conv2D
from minidl.layers.conv2d_transpose import Conv2DTranspose
from minidl.layers.dense import Dense
from minidl.layers.dropout import Dropout
from minidl.layers.elu import ELU
from minidl.layers.embedding import Embedding
from minidl.layers.flatten import Flatten
from minidl.layers.gaussian_noise import GaussianNoise
from minidl.layers.gelu import GELU
from minidl.layers.global_average_pool1d import GlobalAveragePool1D
from minidl.layers.global_average_pool2d import GlobalAveragePool2D
from minidl.layers.global_max_pool2d import GlobalMaxPool2D
from minidl.layers.group_norm import GroupNorm
from minidl.layers.gru import GRU
from minidl.layers.layer_norm import LayerNorm
from minidl.layers.leaky_relu import LeakyReLU
from minidl.layers.log_softmax import LogSoftmax
from minidl.layers.lstm import LSTM
from minidl.layers.masking import Masking
from minidl.layers.max_pool1d import MaxPool1D
from minidl.layers.max_pool2d import MaxPool2D
from minidl.layers.multi_head_self_attention import MultiHeadSelfAttention
from minidl.layers.positional_encoding import PositionalEncoding
from minidl.layers.prelu import PReLU
from minidl.layers.relu import ReLU
from minidl.layers.reshape import Reshape
from minidl.layers.rms_norm import RMSNorm
from minidl.layers.selu import SELU
from minidl.layers.sigmoid import Sigmoid
from minidl.layers.silu import SiLU
from minidl.layers.simple_rnn import SimpleRNN
from minidl.layers.softmax import Softmax
from minidl.layers.softplus import Softplus
from minidl.layers.spatial_dropout2d import SpatialDropout2D
from minidl.layers.standardize import Standardize
from minidl.layers.tanh import Tanh
from minidl.layers.up_sampling2d import UpSampling2D

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "SELU",
    "AveragePool2D",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePool1D",
    "GlobalAveragePool2D",
    "GlobalMaxPool2D",
    "GroupNorm",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LogSoftmax",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MultiHeadSelfAttention",
    "PReLU",
    "PositionalEncoding",
    "RMSNorm",
    "ReLU",
    "Reshape",
    "SiLU",
    "Sigmoid",
    "SimpleRNN",
    "Softmax",
    "Softplus",
    "SpatialDropout2D",
    "Standardize",
    "Tanh",
    "UpSampling2D",
]
