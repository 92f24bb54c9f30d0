"""What the script ``pileus`` at the top of the clone runs."""

import sys

from pileus.setup.launch import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
