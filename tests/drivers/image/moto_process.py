"""moto's server as one process: `python moto_process.py`. What it knows of AWS is answered on one free port of loopback.

Prints the port when it answers; for each line of its standard input, how many bytes of objects and parts it holds, whoever may
still see them. Ends when its standard input does.
"""

import base64
import hashlib
import io
import sys
from collections.abc import Iterable
from threading import Thread
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BAD_DIGEST = b"<?xml version='1.0'?><Error><Code>BadDigest</Code><Message>Something else has come</Message></Error>"


class Checked:
    """Refuses bodies that are not what their Content-MD5 and x-amz-content-sha256 say, as S3 does and moto does not."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if intact(body, environ.get("HTTP_CONTENT_MD5", ""), environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")):
            return self.app(environ, start_response)
        length = str(len(BAD_DIGEST))
        start_response("400 Bad Request", [("Content-Type", "application/xml"), ("Content-Length", length)])
        return [BAD_DIGEST]


def intact(body: bytes, md5: str, sha256: str) -> bool:
    """What is empty does not count."""
    right_md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    return md5 in ("", right_md5) and sha256 in ("", "UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest())


def held() -> int:
    total = 0
    for _, partitions in s3_backends.items():
        for backend in partitions.values():
            for bucket in backend.buckets.values():
                total += sum(version.contentsize for name in bucket.keys for version in bucket.keys.getlist(name))
                total += sum(
                    part.contentsize for upload in bucket.multiparts.values() for part in upload.parts.values()
                )
    return total


def main() -> None:
    app = Checked(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.port, flush=True)
    for _ in sys.stdin:
        print(held(), flush=True)


if __name__ == "__main__":
    main()
