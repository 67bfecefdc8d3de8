"""Augmentation: batches changed at random, so that a model sees no row twice the same."""

from minidl.augmentation.elastic_distortion import ElasticDistortion
from minidl.augmentation.mixup import Mixup
from minidl.augmentation.random_affine import RandomAffine
from minidl.augmentation.random_noise import RandomNoise
from minidl.augmentation.random_rotation import RandomRotation
from minidl.augmentation.random_shift import RandomShift
from minidl.augmentation.random_zoom import RandomZoom

__all__ = [
    "ElasticDistortion",
    "Mixup",
    "RandomAffine",
    "RandomNoise",
    "RandomRotation",
    "RandomShift",
    "RandomZoom",
]
