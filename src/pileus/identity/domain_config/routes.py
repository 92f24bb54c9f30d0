"""A domain's own configuration: whole, by group, by option. Secrets can be set and are never shown."""

from typing import Any

from pileus.identity.directories import looks
from pileus.identity.domain_config import actions, options, queries, replies
from pileus.identity.domain_config.options import Config
from pileus.identity.domain_config.schemas import ConfigBody, OptionBody
from pileus.identity.domain_config.sealing import OptionSealer
from pileus.identity.domains.routes import domain
from pileus.identity.projects.models import Project
from pileus.kernel.errors import Forbidden, NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route


def create(call: Call, target: Project, body: ConfigBody) -> Reply:
    options.check(body.config)
    existed = bool(queries.stored(call.db, target.id))
    actions.remove(call.db, target.id)
    return Reply(_set(call, target, body.config), status=200 if existed else 201)


def update(call: Call, target: Project, body: ConfigBody) -> Json:
    options.check(body.config)
    _existing(call, target)
    return _set(call, target, body.config)


def update_group(call: Call, target: Project, group: str, body: ConfigBody) -> Json:
    options.check_name(group)
    if set(body.config) != {group}:
        raise Forbidden(f"The body must hold the group {group!r} that the address names, and no other.")
    options.check(body.config)
    _existing(call, target, group)
    return _set(call, target, body.config)


def update_option(call: Call, target: Project, group: str, option: str, body: OptionBody) -> Json:
    options.check_name(group, option)
    if set(body.config) != {option}:
        raise Forbidden(f"The body must hold the option {option!r} that the address names, and no other.")
    config = {group: body.config}
    options.check(config)
    _existing(call, target, group, option)
    return _set(call, target, config)


def show(call: Call, target: Project) -> Json:
    return {"config": _visible(call, target)}


def show_group(call: Call, target: Project, group: str) -> Json:
    options.check_name(group)
    return {"config": {group: _visible(call, target, group)}}


def show_option(call: Call, target: Project, group: str, option: str) -> Json:
    options.check_name(group, option)
    return {"config": {option: _visible(call, target, group, option)}}


def destroy(call: Call, target: Project) -> None:
    _existing(call, target)
    _remove(call, target)


def destroy_group(call: Call, target: Project, group: str) -> None:
    options.check_name(group)
    _existing(call, target, group)
    _remove(call, target, group)


def destroy_option(call: Call, target: Project, group: str, option: str) -> None:
    options.check_name(group, option)
    _existing(call, target, group, option)
    _remove(call, target, group, option)


def show_defaults(call: Call) -> Json:
    return {"config": options.defaults()}


def show_default_group(call: Call, group: str) -> Json:
    options.check_name(group)
    return {"config": {group: options.defaults()[group]}}


def show_default_option(call: Call, group: str, option: str) -> Json:
    options.check_name(group, option)
    if (group, option) in options.SECRET:
        raise Forbidden(f"Option {option!r} of group {group!r} is never shown.")
    return {"config": {option: options.defaults()[group][option]}}


def _set(call: Call, target: Project, config: Config) -> Json:
    actions.put(call.db, call.cloud.part(OptionSealer), target.id, config)
    looks.config_changed(call, target.id)
    return {"config": queries.shown(queries.stored(call.db, target.id))}


def _remove(call: Call, target: Project, group: str | None = None, option: str | None = None) -> None:
    actions.remove(call.db, target.id, group, option)
    looks.config_changed(call, target.id)


def _existing(call: Call, target: Project, group: str | None = None, option: str | None = None) -> None:
    _pick(queries.stored(call.db, target.id), target, group, option)


def _visible(call: Call, target: Project, group: str | None = None, option: str | None = None) -> Any:
    return _pick(queries.shown(queries.stored(call.db, target.id)), target, group, option)


def _pick(config: Config, target: Project, group: str | None, option: str | None) -> Any:
    """The part asked for. Raises NotFound."""
    if not config:
        raise NotFound(f"Domain {target.id} has no configuration of its own.")
    if group is None:
        return config
    if group not in config:
        raise NotFound(f"Domain {target.id} does not configure group {group!r}.")
    if option is None:
        return config[group]
    if option not in config[group]:
        raise NotFound(f"Domain {target.id} does not configure option {option!r} of group {group!r}.")
    return config[group][option]


_WHOLE, _GROUP, _OPTION = (f"/v3/domains/{{domain_id}}/config{rest}" for rest in ("", "/{group}", "/{group}/{option}"))
_DEFAULT = "/v3/domains/config"
ROUTES = (
    Route(
        "PUT",
        _WHOLE,
        create,
        "identity:create_domain_config",
        load=domain,
        status=201,
        reply=replies.GROUPS,
        described=replies.REPLACED,
    ),
    Route("GET", _WHOLE, show, "identity:get_domain_config", load=domain, reply=replies.GROUPS),
    Route("PATCH", _WHOLE, update, "identity:update_domain_config", load=domain, reply=replies.GROUPS),
    Route("DELETE", _WHOLE, destroy, "identity:delete_domain_config", load=domain, status=204),
    Route("GET", _GROUP, show_group, "identity:get_domain_config", load=domain, reply=replies.GROUPS),
    Route("PATCH", _GROUP, update_group, "identity:update_domain_config", load=domain, reply=replies.GROUPS),
    Route("DELETE", _GROUP, destroy_group, "identity:delete_domain_config", load=domain, status=204),
    Route("GET", _OPTION, show_option, "identity:get_domain_config", load=domain, reply=replies.OPTION),
    Route("PATCH", _OPTION, update_option, "identity:update_domain_config", load=domain, reply=replies.OPTION),
    Route("DELETE", _OPTION, destroy_option, "identity:delete_domain_config", load=domain, status=204),
    Route("GET", f"{_DEFAULT}/default", show_defaults, "identity:get_domain_config_default", reply=replies.GROUPS),
    Route(
        "GET",
        f"{_DEFAULT}/{{group}}/default",
        show_default_group,
        "identity:get_domain_config_default",
        reply=replies.GROUPS,
    ),
    Route(
        "GET",
        f"{_DEFAULT}/{{group}}/{{option}}/default",
        show_default_option,
        "identity:get_domain_config_default",
        reply=replies.OPTION,
    ),
)
