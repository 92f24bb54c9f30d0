"""A server that speaks S3, for tests: moto as a process of its own, on loopback, with its authentication on.

It verifies who asks (Signature Version 4) and what they may do, checks the smallest size of parts, keeps parts apart until they
are completed, and lists in pages. What S3 servers do beyond that and moto does not is stood in for:

- moto ignores the digests of bodies: `moto_process` compares them before moto is asked;
- it keeps everything in memory: where a server goes and comes again, the proxy before it does;
- it knows no quotas, nor trouble: the proxy refuses, breaks off and falls silent.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import botocore.session
import msgspec

from pileus.image.s3.settings import SMALLEST_PART, S3Settings

PROGRAM = Path(__file__).with_name("moto_process.py")
FREE_ACTIONS = 3  # those of `_user`: all that follow are authenticated
SETTINGS = {"INITIAL_NO_AUTH_ACTION_COUNT": str(FREE_ACTIONS), "MOTO_S3_DEFAULT_MAX_KEYS": "10"}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class S3Server:
    """Runs until its context ends."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process, self._log = process, log
        self.port = self._number()
        self.access_key, self.secret = _user(self.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, **changed: object) -> S3Settings:
        given = {
            "endpoint": self.url,
            "bucket": "images",
            "access_key": self.access_key,
            "secret": self.secret,
            "create_bucket": True,
            "part_size": SMALLEST_PART,
            "timeout": 10,
        }
        return msgspec.convert(given | changed, S3Settings)

    def bytes_held(self) -> int:
        """Of all objects and parts, whoever may still see them."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._number()

    def _number(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        return int(line)


@contextmanager
def running(log: Path) -> Iterator[S3Server]:
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | SETTINGS,
            text=True,
        )
        with process:
            try:
                yield S3Server(process, log)
            finally:
                process.kill()


def _user(url: str) -> tuple[str, str]:
    """Access key and secret of one who may do all with S3, and nothing else."""
    iam = botocore.session.Session().create_client(
        "iam", region_name="us-east-1", endpoint_url=url, aws_access_key_id="nobody", aws_secret_access_key="none"
    )
    iam.create_user(UserName="cloud")
    iam.put_user_policy(UserName="cloud", PolicyName="images", PolicyDocument=json.dumps(POLICY))
    key = iam.create_access_key(UserName="cloud")["AccessKey"]
    iam.close()
    return key["AccessKeyId"], key["SecretAccessKey"]
