"""Speed and size of minidl beside other frameworks: `python -m benchmarks` from the repo's root.

Nothing is imported here: parts of this package also run in environments without minidl.
"""
