"""`python -m ferbench`."""

import sys

from ferbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
