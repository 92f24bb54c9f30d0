"""The options of group `ldap` in a domain's configuration, with their documented defaults."""

from typing import Literal

from msgspec import field

from pileus.kernel.http.schema import Shape

Words = tuple[str, ...] | str  # a list, or one text with commas


class LdapOptions(Shape):
    """`suffix` completes tree names that are not given. Times are seconds; -1 means the driver's own bound, never for ever."""

    url: str = "ldap://localhost"
    user: str | None = None
    password: str | None = None
    suffix: str = "cn=example,cn=com"
    query_scope: Literal["one", "sub"] = "one"
    page_size: int = 0
    alias_dereferencing: Literal["never", "searching", "always", "finding", "default"] = "default"
    chase_referrals: bool | None = None
    debug_level: int | None = None
    randomize_urls: bool = False

    user_tree_dn: str | None = None
    user_filter: str | None = None
    user_objectclass: str = "inetOrgPerson"
    user_id_attribute: str = "cn"
    user_name_attribute: str = "sn"
    user_description_attribute: str = "description"
    user_mail_attribute: str = "mail"
    user_pass_attribute: str = field(default="userPassword")
    user_enabled_attribute: str = "enabled"
    user_enabled_invert: bool = False
    user_enabled_mask: int = 0
    user_enabled_default: str | bool | int = "True"
    user_enabled_emulation: bool = False
    user_enabled_emulation_dn: str | None = None
    user_enabled_emulation_use_group_config: bool = False
    user_attribute_ignore: Words = ("default_project_id",)
    user_default_project_id_attribute: str | None = None
    user_additional_attribute_mapping: Words = ()

    group_tree_dn: str | None = None
    group_filter: str | None = None
    group_objectclass: str = "groupOfNames"
    group_id_attribute: str = "cn"
    group_name_attribute: str = "ou"
    group_desc_attribute: str = "description"
    group_member_attribute: str = "member"
    group_members_are_ids: bool = False
    group_attribute_ignore: Words = ()
    group_additional_attribute_mapping: Words = ()
    group_ad_nesting: bool = False

    use_tls: bool = False
    tls_cacertfile: str | None = None
    tls_cacertdir: str | None = None
    tls_req_cert: Literal["demand", "allow", "never"] = "demand"

    use_pool: bool = True
    pool_size: int = 10
    pool_retry_max: int = 3
    pool_retry_delay: float = 0.1
    pool_connection_timeout: int = -1
    pool_connection_lifetime: int = 600
    use_auth_pool: bool = True
    auth_pool_size: int = 100
    auth_pool_connection_lifetime: int = 60

    @property
    def user_tree(self) -> str:
        return self.user_tree_dn or f"ou=Users,{self.suffix}"

    @property
    def group_tree(self) -> str:
        return self.group_tree_dn or f"ou=UserGroups,{self.suffix}"

    @property
    def enabled_group(self) -> str:
        """The group whose members are enabled, where that stands in for an attribute."""
        return self.user_enabled_emulation_dn or f"cn=enabled_users,{self.user_tree}"


def words(given: Words) -> list[str]:
    return [word.strip() for word in given.split(",") if word.strip()] if isinstance(given, str) else list(given)
