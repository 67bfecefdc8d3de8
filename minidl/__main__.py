"""Entry of `minidl` and of `python -m minidl`."""

import sys

from minidl.command_line import main

if __name__ == "__main__":
    sys.exit(main())
