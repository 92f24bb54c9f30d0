"""SAML2 documents of this cloud as an identity provider: signed assertions about its users, and its metadata."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pileus.identity.federation import saml_keys
from pileus.identity.federation.login.saml2.envelope import ASSERTION, ECP, SOAP
from pileus.identity.federation.pysaml2 import saml2, xmlsec1
from pileus.kernel.cloud import Cloud

LOGGED_IN = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """About `subject`, for the service provider at `recipient`; `audiences` empty: it names nobody. Naive UTC times."""

    subject: str
    recipient: str
    audiences: Sequence[str]
    attributes: Mapping[str, Sequence[str]]
    now: datetime
    until: datetime


def issuer(cloud: Cloud) -> str:
    """The entity id of this cloud as an identity provider."""
    return f"{cloud.endpoint('identity')}/v3/OS-FEDERATION/saml2/idp"


def response(cloud: Cloud, statement: Statement) -> str:
    """A response with one signed assertion, as XML without a declaration."""
    keys, name = saml_keys.ready(cloud.config.state / "keys" / "saml2", "Pileus identity"), issuer(cloud)
    assertion = _assertion(name, statement)
    certificate = "".join(keys.certificate.read_text().splitlines()[1:-1])
    assertion.signature = saml2.sigver.pre_signature_part(
        assertion.id,
        certificate,
        1,
        sign_alg=saml2.xmldsig.SIG_RSA_SHA256,
        digest_alg=saml2.xmldsig.DIGEST_SHA256,
    )
    answer = saml2.samlp.Response(
        id=_new_id(),
        version="2.0",
        issue_instant=_text(statement.now),
        destination=statement.recipient,
        issuer=saml2.saml.Issuer(text=name, format=ENTITY),
        status=saml2.samlp.Status(status_code=saml2.samlp.StatusCode(value=saml2.samlp.STATUS_SUCCESS)),
        assertion=[assertion],
    )
    signer = saml2.sigver.CryptoBackendXmlSec1(xmlsec1())
    node = f"{ASSERTION[1:-1]}:Assertion"
    signed = signer.sign_statement(str(answer), node, str(keys.key), assertion.id)
    return str(signed).partition("?>")[2].strip() if str(signed).startswith("<?xml") else str(signed).strip()


def enveloped(document: str, relay_state: str) -> str:
    """For a client of the ECP profile to carry to the service provider."""
    actor = 'S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next"'
    return (
        f'<S:Envelope xmlns:S="{SOAP[1:-1]}"><S:Header><ecp:RelayState xmlns:ecp="{ECP}" {actor}>{relay_state}</ecp:RelayState>'
        f"</S:Header><S:Body>{document}</S:Body></S:Envelope>"
    )


def metadata(cloud: Cloud) -> str:
    """What a service provider must know of this cloud."""
    keys = saml_keys.ready(cloud.config.state / "keys" / "saml2", "Pileus identity")
    sign_on = f"{cloud.endpoint('identity')}/v3/auth/OS-FEDERATION/saml2/ecp"
    config = saml2.config.IdPConfig()
    config.load(
        {
            "entityid": issuer(cloud),
            "xmlsec_binary": xmlsec1(),
            "key_file": str(keys.key),
            "cert_file": str(keys.certificate),
            "service": {"idp": {"endpoints": {"single_sign_on_service": [(sign_on, saml2.BINDING_SOAP)]}}},
        }
    )
    return str(saml2.metadata.entity_descriptor(config))


def _assertion(name: str, statement: Statement) -> Any:
    saml, until = saml2.saml, _text(statement.until)
    confirmation = saml.SubjectConfirmationData(not_on_or_after=until, recipient=statement.recipient)
    conditions = saml.Conditions(
        not_before=_text(statement.now - timedelta(seconds=60)),
        not_on_or_after=until,
        audience_restriction=[
            saml.AudienceRestriction(audience=[saml.Audience(text=audience) for audience in statement.audiences])
        ]
        if statement.audiences
        else [],
    )
    attributes = [
        saml.Attribute(
            name=attribute,
            name_format=URI,
            attribute_value=[saml.AttributeValue(text=value) for value in values],
        )
        for attribute, values in statement.attributes.items()
    ]
    return saml.Assertion(
        id=_new_id(),
        version="2.0",
        issue_instant=_text(statement.now),
        issuer=saml.Issuer(text=name, format=ENTITY),
        subject=saml.Subject(
            name_id=saml.NameID(text=statement.subject),
            subject_confirmation=[saml.SubjectConfirmation(method=BEARER, subject_confirmation_data=confirmation)],
        ),
        conditions=conditions,
        authn_statement=[
            saml.AuthnStatement(
                authn_instant=_text(statement.now),
                session_index=secrets.token_hex(16),
                session_not_on_or_after=until,
                authn_context=saml.AuthnContext(
                    authn_context_class_ref=saml.AuthnContextClassRef(text=LOGGED_IN),
                    authenticating_authority=[saml.AuthenticatingAuthority(text=name)],
                ),
            )
        ],
        attribute_statement=[saml.AttributeStatement(attribute=attributes)],
    )


def _new_id() -> str:
    return f"_{secrets.token_hex(16)}"


def _text(when: datetime) -> str:
    return when.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
