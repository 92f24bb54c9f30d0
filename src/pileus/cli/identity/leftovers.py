"""`pileus identity flush-tokens`, `purge-trusts`, `purge-mappings`: rows that mean nothing any more.

The cloud sweeps the first two by itself, in time.
"""

import argparse

from sqlalchemy.orm import Session

from pileus.cli.installation import composed, tell
from pileus.identity.directories import mirror
from pileus.identity.tokens import revocation
from pileus.identity.trusts import actions as trusts


def flush_tokens(options: argparse.Namespace) -> int:
    with composed(options) as cloud:
        gone = cloud.db.transact(revocation.flush)
    tell(options, {"flushed": gone}, f"{gone} revocations were of tokens that are over, and are forgotten.")
    return 0


def purge_mappings(options: argparse.Namespace) -> int:
    def work(db: Session) -> int:
        return mirror.purge(db, domain_id=options.domain, entity=options.type, all_of_them=options.all)

    with composed(options) as cloud:
        gone = cloud.db.transact(work)
    tell(options, {"purged": gone}, f"{gone} users and groups of directories are gone from here.")
    return 0


def purge_trusts(options: argparse.Namespace) -> int:
    with composed(options) as cloud:
        gone = cloud.db.transact(trusts.purge)
    tell(options, {"purged": gone}, f"{gone} trusts were over, and are gone.")
    return 0
