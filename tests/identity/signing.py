"""Signs requests as Amazon's documents tell clients to: written apart from what checks them, and straight from the text."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from tests.identity.people import Json


def moment(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def version_1(access: str, secret: str, at: datetime) -> Json:
    params = {"Action": "DescribeInstances", "AWSAccessKeyId": access, "SignatureVersion": "1", "Version": "2009"}
    params["Timestamp"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = "".join(name + params[name] for name in sorted(params, key=str.lower))
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), "sha1").digest()).decode()
    return {"access": access, "signature": signature, "host": "h", "verb": "GET", "path": "/", "params": params}


def version_2(
    access: str, secret: str, at: datetime, *, method: str = "HmacSHA256", host: str = "h", **more: str
) -> Json:
    params = {"Action": "Describe Instances", "AWSAccessKeyId": access, "SignatureVersion": "2", "é": "*~"}
    params |= {"Timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "SignatureMethod": method} | more
    params = {name: value for name, value in params.items() if value}
    query = urlencode(sorted(params.items()), quote_via=quote, safe="-_.~")
    text = f"GET\n{host}\n/services/Cloud\n{query}"
    digest = "sha1" if method == "HmacSHA1" else "sha256"
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()
    given = {"access": access, "signature": signature, "host": host, "verb": "GET", "path": "/services/Cloud"}
    return given | {"params": params}


def chain(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return key


def version_4(
    access: str,
    secret: str,
    at: datetime,
    *,
    host: str = "h:8773",
    in_query: bool = False,
    verb: str = "GET",
    **more: Any,
) -> Json:
    """`date`: the name of the header that has the time; `expires`: seconds, in the query."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{more.get('day', stamp[:8])}/RegionOne/ec2/aws4_request"
    body_hash = hashlib.sha256(b"body").hexdigest()
    params = {"Action": "RunInstances", "Z": "a b/c"}
    headers, signed = {"Host": host}, ["host"]
    if in_query:
        params |= {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{access}/{scope}", "X-Amz-Date": stamp}
        params |= {"X-Amz-Expires": more.get("expires", "600"), "X-Amz-SignedHeaders": "host"}
    else:
        date = more.get("date", "X-Amz-Date")
        headers[date] = stamp if date == "X-Amz-Date" else at.strftime("%a, %d %b %Y %H:%M:%S GMT")
        signed.append(date.lower())
    signed = sorted(signed)
    lower = {name.lower(): value for name, value in headers.items()}
    lower["host"] = more.get("signed_host", host)
    query = (
        "" if verb == "POST" else "&".join(f"{quote(k, '-_.~')}={quote(v, '-_.~')}" for k, v in sorted(params.items()))
    )
    lines = "".join(f"{name}:{lower[name]}\n" for name in signed)
    canonical = f"{verb}\n/\n{query}\n{lines}\n{';'.join(signed)}\n{body_hash}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(chain(secret, scope), text.encode(), "sha256").hexdigest()
    if in_query:
        params["X-Amz-Signature"] = signature
    else:
        parts = f"Credential={access}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
        headers["Authorization"] = f"AWS4-HMAC-SHA256 {parts}"
    given = {"access": access, "signature": signature, "host": host, "verb": verb, "path": "/", "body_hash": body_hash}
    return given | {"params": params, "headers": headers}


def s3_version_1(access: str, secret: str, date: str, *, amz_date: str = "") -> Json:
    text = f"GET\n\n\n{date}\n" + (f"x-amz-date:{amz_date}\n" if amz_date else "") + "/bucket/é.jpg"
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), "sha1").digest()).decode()
    return {"access": access, "token": base64.urlsafe_b64encode(text.encode()).decode(), "signature": signature}


def s3_version_4(access: str, secret: str, at: datetime, *, service: str = "s3", day: str = "") -> Json:
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{day or stamp[:8]}/RegionOne/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{'0' * 64}"
    signature = hmac.new(chain(secret, scope), text.encode(), "sha256").hexdigest()
    return {"access": access, "token": base64.b64encode(text.encode()).decode(), "signature": signature}
