import os

import pytest


@pytest.fixture(autouse=True)
def unflushed(monkeypatch):
    """Hundreds of small files need not reach the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
