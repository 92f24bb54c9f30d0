"""Signatures of EC2 requests, as a service that got one hands them on: versions 1, 2 and 4 of Amazon's signing.

`check` tells a request of now from a forged, changed or old one. What is signed is in Amazon's General Reference, "Signing AWS API
requests" and, for the older versions, "Signature Version 2".
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from pileus.identity.ec2 import moments
from pileus.identity.ec2.schemas import SignedRequest
from pileus.identity.ec2.sigv4 import ALGORITHM, Scope, sign

Params = Mapping[str, str]
_DIGESTS = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}


class BadSignature(Exception):
    """Not signed with that secret, or not now. The text is for the operator."""


def check(request: SignedRequest, secret: str, ttl: int) -> None:
    """Raises BadSignature. `ttl`: seconds that a request is good for, before and after its own time."""
    params, headers = request.params, {name.lower(): value for name, value in request.headers.items()}
    if headers.get("authorization", "").startswith(ALGORITHM) or params.get("X-Amz-Algorithm") == ALGORITHM:
        wanted = _version_4(request, headers, secret, ttl)
    elif params.get("SignatureVersion") in ("1", "2"):
        _check_moment(params, ttl)
        wanted = _version_1(params, secret) if params["SignatureVersion"] == "1" else _version_2(request, secret)
    else:
        raise BadSignature("the request is signed in no version that is known here (1, 2, 4)")
    given = request.signature.encode()
    if not any(hmac.compare_digest(given, signature.encode()) for signature in wanted):
        raise BadSignature("the signature is of another request or secret")


def _check_moment(params: Params, ttl: int) -> None:
    moment = moments.parse(params.get("Timestamp") or params.get("Expires") or "")
    if moment is None or not moments.is_now(moment, ttl):
        raise BadSignature("Timestamp or Expires is missing, not a time, or too far from now")


def _version_1(params: Params, secret: str) -> Iterator[str]:
    names = sorted((name for name in params if name != "Signature"), key=str.lower)
    yield _mac(secret, "".join(name + params[name] for name in names), "HmacSHA1")


def _version_2(request: SignedRequest, secret: str) -> Iterator[str]:
    method = request.params.get("SignatureMethod", "HmacSHA256")
    if method not in _DIGESTS:
        raise BadSignature(f"SignatureMethod {method!r} is none of {', '.join(_DIGESTS)}")
    query = _query(request.params, "Signature", encoded_order=False)
    for host in _hosts(request.host.lower()):
        yield _mac(secret, "\n".join((request.verb.upper(), host, request.path or "/", query)), method)


def _version_4(request: SignedRequest, headers: Params, secret: str, ttl: int) -> Iterator[str]:
    params = request.params
    parts = _authorization(headers.get("authorization", ""))
    in_query = not parts
    credential = params.get("X-Amz-Credential", "") if in_query else parts.get("Credential", "")
    signed = params.get("X-Amz-SignedHeaders", "") if in_query else parts.get("SignedHeaders", "")
    moment = moments.parse(params.get("X-Amz-Date") or headers.get("x-amz-date") or headers.get("date") or "")
    scope = Scope.parse(credential.partition("/")[2])
    if moment is None or not moments.is_now(moment, ttl):
        raise BadSignature("X-Amz-Date is missing, not a time, or too far from now")
    if scope is None or scope.date != moment.strftime("%Y%m%d"):
        raise BadSignature("the credential's scope is not of the request's day")
    if not moments.lasts(moment, params.get("X-Amz-Expires")):
        raise BadSignature("X-Amz-Expires is over")
    names = signed.split(";")
    if "host" not in names:
        raise BadSignature("the host is not among the signed headers")
    queries = {_query(params, "X-Amz-Signature", encoded_order=True)}
    if request.verb.upper() == "POST":
        queries.add("")  # the parameters came in the body
    for host in _hosts(headers.get("host", request.host)):
        lines = "".join(f"{name}:{_folded(host if name == 'host' else headers.get(name, ''))}\n" for name in names)
        for query in queries:
            canonical = (request.verb.upper(), request.path or "/", query, lines, signed, request.body_hash or "")
            digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
            yield sign(secret, scope, moment, digest)


def _authorization(header: str) -> dict[str, str]:
    """`AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` in parts."""
    if not header.startswith(ALGORITHM):
        return {}
    pairs = (part.strip().partition("=") for part in header.removeprefix(ALGORITHM).split(","))
    return {name: value for name, _, value in pairs}


def _hosts(host: str) -> Iterator[str]:
    """As given, and without its port: some clients sign the one, some the other."""
    yield host
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal():
        yield name


def _query(params: Params, signature: str, *, encoded_order: bool) -> str:
    """Without the parameter that carries the signature. Version 2 sorts names as they are, version 4 as they are encoded."""
    pairs = sorted((name.encode(), value) for name, value in params.items() if name != signature)
    quoted = [(quote(name, "-_.~"), quote(value, "-_.~")) for name, value in pairs]
    return "&".join(f"{name}={value}" for name, value in (sorted(quoted) if encoded_order else quoted))


def _folded(value: str) -> str:
    return " ".join(value.split())


def _mac(secret: str, text: str, method: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), _DIGESTS[method]).digest()).decode()
