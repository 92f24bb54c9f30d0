"""`pileus identity`: what an operator does to keys, tokens and the administrator. Each command loads only what it needs."""

import argparse
import sys

from pileus.kernel.errors import ApiError


def identity(options: argparse.Namespace) -> int:
    """Exit status 0 when it is done, 1 when there was nothing that could be done."""
    try:
        return _run(options)
    except (ApiError, OSError) as error:
        print(f"pileus: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    match options.identity_command:
        case "keys":
            from pileus.cli.identity.keys import show

            return show(options)
        case "rotate-keys":
            from pileus.cli.identity.keys import rotate

            return rotate(options)
        case "migrate-credentials":
            from pileus.cli.identity.keys import migrate

            return migrate(options)
        case "flush-tokens":
            from pileus.cli.identity.leftovers import flush_tokens

            return flush_tokens(options)
        case "purge-trusts":
            from pileus.cli.identity.leftovers import purge_trusts

            return purge_trusts(options)
        case "purge-mappings":
            from pileus.cli.identity.leftovers import purge_mappings

            return purge_mappings(options)
        case "test-mapping":
            from pileus.cli.identity.logins import test_mapping

            return test_mapping(options)
        case "explain":
            from pileus.cli.identity.logins import explain

            return explain(options)
    from pileus.cli.identity.admin import reset

    return reset(options)
