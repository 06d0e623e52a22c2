"""`python -m m2rec`: the command line."""

import sys

from m2rec.commands.app import main

if __name__ == "__main__":
    sys.exit(main())
