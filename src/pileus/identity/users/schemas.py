"""The bodies of users. Open: identity keeps attributes it does not know, such as `email`."""

from typing import Annotated

from msgspec import Meta, field

from pileus.kernel.http.schema import UNSET, OpenShape, Shape, Unset

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
Secret = Annotated[str, Meta(min_length=1, max_length=4096)]


class UserOptions(Shape):
    """`lock_password`: only an administrator can change the password. The `ignore_` ones exempt from what the operator set for all."""

    lock_password: bool | Unset | None = UNSET
    ignore_change_password_upon_first_use: bool | Unset | None = UNSET
    ignore_password_expiry: bool | Unset | None = UNSET
    ignore_lockout_failure_attempts: bool | Unset | None = UNSET
    ignore_user_inactivity: bool | Unset | None = UNSET
    multi_factor_auth_enabled: bool | Unset | None = UNSET
    multi_factor_auth_rules: list[list[str]] | Unset | None = UNSET


class FederatedWay(Shape):
    protocol_id: str
    unique_id: Name


class FederatedWith(Shape):
    """An identity provider, and whom it knows the user as."""

    idp_id: str
    protocols: list[FederatedWay]


class NewUser(OpenShape):
    name: Name
    domain_id: str | None = None
    default_project_id: str | None = None
    description: str | None = None
    enabled: bool = True
    password: Secret | None = None
    options: UserOptions | Unset = UNSET
    federated: list[FederatedWith] = field(default_factory=list)


class NewUserBody(Shape):
    user: NewUser


class UserChange(OpenShape):
    name: Name | Unset = UNSET
    domain_id: str | Unset = UNSET
    default_project_id: str | Unset | None = UNSET
    description: str | Unset | None = UNSET
    enabled: bool | Unset = UNSET
    password: Secret | Unset | None = UNSET
    options: UserOptions | Unset = UNSET
    federated: list[FederatedWith] | Unset = UNSET


class UserChangeBody(Shape):
    user: UserChange


class PasswordChange(OpenShape):
    original_password: str
    password: Secret


class PasswordChangeBody(Shape):
    user: PasswordChange
