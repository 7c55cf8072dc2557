"""`python -m mixarray_analysis` is the command `mixarray`."""

import sys

from mixarray_analysis.cli import main

if __name__ == "__main__":
    sys.exit(main())
