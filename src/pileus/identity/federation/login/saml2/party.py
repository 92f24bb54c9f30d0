"""A SAML2 service provider for one way in: asks the identity provider, and reads what it answers."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pileus.identity.federation import saml_keys
from pileus.identity.federation.login.proof import Proof
from pileus.identity.federation.login.saml2 import envelope
from pileus.identity.federation.pysaml2 import saml2, xmlsec1
from pileus.identity.federation.settings import Saml2Provider
from pileus.identity.tokens.login import refused
from pileus.kernel.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

ISSUER = "MELLON_IDP"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"


class Saml2Party:
    """`web` is where browsers bring an answer, `ecp` where other clients do."""

    def __init__(self, cloud: Cloud, idp_id: str, protocol_id: str, settings: Saml2Provider) -> None:
        way = f"identity_providers/{quote(idp_id, safe='')}/protocols/{quote(protocol_id, safe='')}"
        base = cloud.endpoint("identity") + "/v3"
        self.settings = settings
        self.ecp = f"{base}/OS-FEDERATION/{way}/auth"
        self.web = f"{base}/auth/OS-FEDERATION/{way}/websso"
        self.entity_id = self.ecp
        self._keys = cloud.config.state / "keys" / "saml2"
        self._lock = threading.Lock()
        self._client: Any = None
        self._mark = 0  # the metadata file's time as it was read last

    def request(self, request_id: str, binding: str, answer_by: str) -> tuple[str, str]:
        """An AuthnRequest for the provider's address of `binding`, and that address. Raises Unauthorized."""
        address = self._address(binding)
        if address is None:
            raise refused(f"the metadata of {self.settings.entity_id} have no address for {binding}")
        _, request = self._ready().create_authn_request(
            address,
            binding=answer_by,
            service_url_binding=answer_by,
            message_id=request_id,
            sign=self.settings.sign_requests,
        )
        return str(request), address

    def browser(self, request_id: str, state: str) -> tuple[str, str]:
        """Where to send a browser; and, for providers that want it posted there, the request."""
        known = self._address(saml2.BINDING_HTTP_REDIRECT) is not None
        binding = saml2.BINDING_HTTP_REDIRECT if known else saml2.BINDING_HTTP_POST
        request, address = self.request(request_id, binding, saml2.BINDING_HTTP_POST)
        if not known:
            return address, request
        sent = self._ready().apply_binding(binding, request, address, relay_state=state, sign=False)
        return str(dict(sent["headers"])["Location"]), ""

    def _address(self, binding: str) -> str | None:
        """Where the provider takes requests, by its metadata. Raises Unauthorized."""
        try:
            found = self._ready().metadata.single_sign_on_service(self.settings.entity_id, binding)
        except saml2.s_utils.UnknownSystemEntity:
            raise refused(f"the metadata are not of {self.settings.entity_id}") from None
        return str(found[0]["location"]) if found else None

    def paos(self, request_id: str) -> str:
        """The SOAP envelope that an ECP client carries to the provider."""
        request, _ = self.request(request_id, saml2.BINDING_SOAP, saml2.BINDING_PAOS)
        text = request[request.index("?>") + 2 :] if request.startswith("<?xml") else request
        actor = 'S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next"'
        return (
            f'<S:Envelope xmlns:S="{envelope.SOAP[1:-1]}"><S:Header>'
            f'<paos:Request xmlns:paos="{envelope.PAOS}" {actor} responseConsumerURL="{self.ecp}" service="{envelope.ECP}"/>'
            f'<ecp:Request xmlns:ecp="{envelope.ECP}" {actor} IsPassive="0">'
            f'<saml:Issuer xmlns:saml="{envelope.ASSERTION[1:-1]}">{self.entity_id}</saml:Issuer></ecp:Request>'
            f'<ecp:RelayState xmlns:ecp="{envelope.ECP}" {actor}>{request_id}</ecp:RelayState>'
            f"</S:Header><S:Body>{text.strip()}</S:Body></S:Envelope>"
        )

    def read(self, response: bytes, request_id: str | None, consumer: str) -> Proof:
        """Of an answer to `request_id` (None: to none of our requests) that came to `consumer`. Raises Unauthorized."""
        client = self._ready()
        try:
            answer = saml2.response.AuthnResponse(
                client.sec,
                client.config.attribute_converters,
                self.entity_id,
                return_addrs=[consumer],
                outstanding_queries={request_id: consumer} if request_id else {},
                timeslack=self.settings.clock_skew,
                allow_unsolicited=request_id is None and self.settings.unsolicited,
                allow_unknown_attributes=True,
                want_assertions_signed=True,
                conv_info={"entity_id": self.entity_id},
            )
            answer.loads(response, False, origxml=response)
            verified = answer.verify() is not None and answer.assertion is not None
        except Exception as error:  # the library raises bare ones
            raise refused(f"a SAML response of {self.settings.entity_id} is not good: {error!r}") from None
        if not verified:
            raise refused(f"a SAML response of {self.settings.entity_id} is not good")
        return self._proof(answer, request_id, consumer)

    def _proof(self, answer: Any, request_id: str | None, consumer: str) -> Proof:
        """What the library leaves open is decided here: who issued it, for whom, where to, until when."""
        assertion = answer.assertion
        issuer = (assertion.issuer.text or "").strip()
        if issuer != self.settings.entity_id:
            raise refused(f"a SAML assertion is of {issuer}, not of {self.settings.entity_id}")
        conditions = assertion.conditions
        if conditions is None or not conditions.audience_restriction or not conditions.not_on_or_after:
            raise refused("a SAML assertion does not say for whom and until when it is")
        for confirmation in assertion.subject.subject_confirmation:
            data = confirmation.subject_confirmation_data
            if confirmation.method != BEARER or data is None or data.recipient != consumer:
                raise refused("a SAML assertion is to be brought elsewhere, or by somebody else")
            if data.in_response_to != request_id:
                raise refused(f"a SAML assertion answers {data.in_response_to}, the response {request_id}")
        attributes: dict[str, tuple[str, ...]] = {}
        for names, values in _said(assertion):
            for name in names:
                attributes[name] = attributes[f"MELLON_{name}"] = attributes.get(name, ()) + values
        for name, said in (answer.ava or {}).items():
            attributes.setdefault(name, tuple(str(value) for value in said))
        subject = (assertion.subject.name_id.text or "").strip() if assertion.subject.name_id else ""
        attributes |= {ISSUER: (issuer,), "Shib-Identity-Provider": (issuer,)}
        if subject:
            attributes |= {"REMOTE_USER": (subject,), "MELLON_NAME_ID": (subject,)}
        until = _time(conditions.not_on_or_after, self.settings.clock_skew)
        ends = [statement.session_not_on_or_after for statement in assertion.authn_statement]
        return Proof(
            attributes=attributes,
            issuer_attribute=ISSUER,
            once=f"assertion {issuer} {assertion.id}",
            once_until=until,
            ends=min((_time(end, 0) for end in ends if end), default=None),
        )

    def metadata(self) -> str:
        """This service provider's metadata document, for the identity provider."""
        return str(saml2.metadata.entity_descriptor(self._ready().config))

    def _ready(self) -> Any:
        """The library's client. Reading metadata takes a moment, so it is kept until the file changes. Raises Unauthorized."""
        try:
            mark = Path(self.settings.metadata_file).stat().st_mtime_ns
        except OSError as error:
            raise refused(f"the metadata of {self.settings.entity_id} can not be read: {error}") from None
        with self._lock:
            if self._client is None or mark != self._mark:
                self._client, self._mark = self._made(), mark
            return self._client

    def _made(self) -> Any:
        program, keys = xmlsec1(), {}
        if self.settings.sign_requests:
            key, certificate = saml_keys.ready(self._keys, "Pileus identity")
            keys = {"key_file": str(key), "cert_file": str(certificate)}
        consumers = [(self.web, saml2.BINDING_HTTP_POST), (self.ecp, saml2.BINDING_PAOS)]
        given = {
            "entityid": self.entity_id,
            "xmlsec_binary": program,
            **keys,
            "only_use_keys_in_metadata": True,
            "allow_unknown_attributes": True,
            "metadata": {"local": [self.settings.metadata_file]},
            "service": {
                "sp": {
                    "endpoints": {"assertion_consumer_service": consumers},
                    "want_assertions_signed": True,
                    "want_response_signed": False,
                    "authn_requests_signed": self.settings.sign_requests,
                }
            },
        }
        try:
            config = saml2.config.SPConfig().load(given)
            return saml2.client.Saml2Client(config=config)
        except Exception as error:  # the library raises bare ones
            raise refused(f"the metadata of {self.settings.entity_id} are not good: {error!r}") from None


def _said(assertion: Any) -> "Iterator[tuple[set[str], tuple[str, ...]]]":
    """Each attribute's names (its own and the friendly one) and values."""
    for statement in assertion.attribute_statement:
        for attribute in statement.attribute:
            names = {name for name in (attribute.name, attribute.friendly_name) if name}
            values = tuple((value.text or "").strip() for value in attribute.attribute_value)
            yield names, tuple(value for value in values if value)


def _time(text: str, slack: int) -> datetime:
    """Naive UTC. Raises Unauthorized."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise refused(f"a SAML assertion has the time {text!r}") from None
    return datetime.fromtimestamp(when.astimezone(UTC).timestamp() + slack, UTC).replace(tzinfo=None)
