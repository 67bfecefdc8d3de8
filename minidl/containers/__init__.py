"""Containers: layers made of layers."""

from minidl.containers.sequential import Sequential

__all__ = ["Sequential"]
