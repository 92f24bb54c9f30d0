"""Proofs of who somebody is. Every refusal is the same 401, and takes the same time where a password is involved."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.application_credentials.models import ApplicationCredential
from pileus.identity.passwords import lockout
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import Password
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.payload import METHODS, BadToken, Payload, chain
from pileus.identity.tokens.schemas import CredentialMethod, Identity, PasswordMethod, TokenMethod, UserRef
from pileus.identity.users import queries
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import BadRequest, Forbidden, NotFound, Unauthorized


@dataclass(frozen=True)
class Login:
    """A proven user. `parent` is the token that proved it, `credential` the application credential."""

    user_id: str
    methods: tuple[str, ...]
    parent: Payload | None = None
    credential: ApplicationCredential | None = None


def refused() -> Unauthorized:
    return Unauthorized("The request you have made requires authentication: user, secret or scope is not right.")


def log_in(cloud: Cloud, db: Session, identity: Identity) -> Login:
    """Every method named must prove the same user. Raises Unauthorized, NotFound (a bad token) or BadRequest (data missing)."""
    if not identity.methods:
        raise BadRequest("auth.identity.methods must name at least one method.")
    logins = [_prove(cloud, db, identity, method) for method in dict.fromkeys(identity.methods)]
    if len({login.user_id for login in logins}) != 1:
        raise refused()
    methods: tuple[str, ...] = ()
    for login in logins:
        methods = chain(methods, login.methods)
    return Login(
        logins[0].user_id,
        methods,
        next((login.parent for login in logins if login.parent), None),
        next((login.credential for login in logins if login.credential), None),
    )


def _prove(cloud: Cloud, db: Session, identity: Identity, method: str) -> Login:
    if method not in METHODS:
        raise Unauthorized(f"Authentication method {method!r} is not supported; supported: {', '.join(METHODS)}.")
    if method == "password" and identity.password is not None:
        return _password(cloud, db, identity.password)
    if method == "token" and identity.token is not None:
        return _token(cloud, db, identity.token)
    if method == "application_credential" and identity.application_credential is not None:
        return _application_credential(cloud, db, identity.application_credential)
    raise BadRequest(f"auth.identity.{method} is missing although auth.identity.methods names it.")


def _find_user(db: Session, ref: UserRef) -> str | None:
    if ref.id is not None:
        return ref.id
    if ref.name is None or ref.domain is None or (ref.domain.id is None and ref.domain.name is None):
        raise BadRequest("A user is given by its id, or by its name and the id or name of its domain.")
    return queries.id_of(db, ref.name, domain_id=ref.domain.id, domain_name=ref.domain.name)


def _password(cloud: Cloud, db: Session, given: PasswordMethod) -> Login:
    user_id = _find_user(db, given.user)
    stored = db.scalar(select(Password.hash).where(Password.user_id == user_id)) if user_id else None
    good = cloud.part(Hasher).verify(stored, given.user.password)
    if user_id is None or not lockout.admit(cloud, db, user_id, good=good):
        raise refused()
    return Login(user_id, ("password",))


def _token(cloud: Cloud, db: Session, given: TokenMethod) -> Login:
    try:
        parent = cloud.part(TokenAuthenticator).verify(db, given.id).payload
    except BadToken:
        raise NotFound("The token in auth.identity.token could not be found.") from None
    if parent.application_credential_id is not None:
        raise Forbidden("A token of an application credential can not be exchanged for another token.")
    return Login(parent.user_id, chain(parent.methods, ("token",)), parent=parent)


def _application_credential(cloud: Cloud, db: Session, given: CredentialMethod) -> Login:
    credential: ApplicationCredential | None
    if given.id is not None:
        credential = db.get(ApplicationCredential, given.id)
    elif given.name is not None and given.user is not None:
        owner = ApplicationCredential.user_id == _find_user(db, given.user)
        credential = db.scalar(select(ApplicationCredential).where(owner, ApplicationCredential.name == given.name))
    else:
        raise BadRequest("An application credential is given by its id, or by its name and its user.")
    good = cloud.part(Hasher).verify(credential.secret_hash if credential else None, given.secret)
    if credential is None or not good or (credential.expires_at is not None and credential.expires_at <= clock.now()):
        raise refused()
    return Login(credential.user_id, ("application_credential",), credential=credential)
