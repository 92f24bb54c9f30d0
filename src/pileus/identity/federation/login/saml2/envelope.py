"""The outside of SAML messages: finding the one response in what was posted, before anything in it is believed."""

import base64
import binascii
from xml.etree.ElementTree import Element, ParseError, tostring

from pileus.identity.tokens.login import refused

PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
PAOS = "urn:liberty:paos:2003-08"
ECP = "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"
MEDIA = "application/vnd.paos+xml"
WEAK = ("sha1", "md5")  # in the names of algorithms


def parse(text: bytes) -> Element:
    """Without entities, DTDs and what they bring. Raises Unauthorized."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (DefusedXmlException, ParseError, ValueError, LookupError) as error:
        raise refused(f"a SAML message is no XML that can be taken: {error!r}") from None
    return root


def posted(field: str) -> bytes:
    """The form field SAMLResponse. Raises Unauthorized."""
    try:
        return base64.b64decode("".join(field.split()), validate=True)
    except (binascii.Error, ValueError):
        raise refused("the field SAMLResponse is not base64") from None


def unwrapped(envelope: bytes) -> bytes:
    """The response in a SOAP envelope. Raises Unauthorized."""
    body = parse(envelope).find(f"{SOAP}Body")
    if body is None or len(body) != 1:
        raise refused("a SOAP envelope has no single message")
    return tostring(body[0])


def request_id(response: bytes) -> str | None:
    """What the response says it answers. Raises Unauthorized unless it holds one signed assertion, in the place where it belongs.

    So nothing that is signed can be wrapped into something that is not.
    """
    root = parse(response)
    assertions = [node for node in root.iter() if node.tag == f"{ASSERTION}Assertion"]
    if root.tag != f"{PROTOCOL}Response" or [node for node in root if node in assertions] != assertions:
        raise refused("a SAML response has its assertion in a strange place")
    if len(assertions) != 1 or next(root.iter(f"{ASSERTION}EncryptedAssertion"), None) is not None:
        raise refused(f"a SAML response has {len(assertions)} plain assertions; it needs exactly one, not encrypted")
    names = [name for node in root.iter() if (name := node.get("ID")) is not None]
    if len(set(names)) != len(names):
        raise refused("a SAML response has two elements of the same ID")
    if assertions[0].find(f"{SIGNATURE}Signature") is None:
        raise refused("a SAML assertion is not signed")
    for kind in ("SignatureMethod", "DigestMethod"):
        for node in root.iter(f"{SIGNATURE}{kind}"):
            if any(word in node.get("Algorithm", "").lower() for word in WEAK):
                raise refused(f"a SAML signature uses {node.get('Algorithm')}")
    return root.get("InResponseTo")
