"""minidl: a deep-learning framework on NumPy and SciPy that can be read in an afternoon."""

__version__ = "0.1.0"
