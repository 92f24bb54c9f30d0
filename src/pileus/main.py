"""`pileus`: reads the command line and hands over. Each command loads only what it needs."""

import sys
from collections.abc import Sequence

from pileus.cli.options import parser


def main(arguments: Sequence[str] | None = None) -> int:
    top = parser()
    options = top.parse_args(arguments)
    match options.command:
        case "up":
            from pileus.cli.up import up

            return up(options)
        case "down":
            from pileus.cli.down import down

            return down(options)
        case "status":
            from pileus.cli.status import status

            return status(options)
        case "logs":
            from pileus.cli.logs import logs

            return logs(options)
        case "image":
            from pileus.cli.image import image

            return image(options)
        case "config":
            from pileus.cli.config import describe

            return describe()
        case "audit":
            from pileus.cli.audit import audit

            return audit(options)
        case "why":
            from pileus.cli.why import why

            return why(options)
        case "identity":
            from pileus.cli.identity.command import identity

            return identity(options)
    top.print_help()
    return 0 if options.command is None else 2


if __name__ == "__main__":
    sys.exit(main())
