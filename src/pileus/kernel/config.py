"""One TOML file, a typed section for the kernel and one for each service. Unknown keys are refused."""

import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")


class ConfigError(Exception):
    """The file can not be used; the message names the key."""


class CloudSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Section `[cloud]`."""

    listen: Annotated[str, Meta(description="address:port that the APIs answer on")] = "127.0.0.1:8780"
    public_url: Annotated[str, Meta(description="address that clients use; default http://<listen>")] = ""
    region: Annotated[str, Meta(description="name of the region in the catalog")] = "RegionOne"
    host: Annotated[str, Meta(description="name of this host; default the machine's")] = ""
    database: Annotated[str, Meta(description="SQLAlchemy URL; default SQLite in the state folder")] = ""
    metadata_listen: Annotated[str, Meta(description="address:port of the metadata API")] = "127.0.0.1:8775"
    policy_file: Annotated[str, Meta(description="operator's policy.yaml; default policy.yaml in the state folder")] = (
        ""
    )
    api_workers: Annotated[int, Meta(ge=1, le=64, description="API processes")] = 1
    hypervisor: Annotated[str, Meta(description="libvirt or fake")] = "libvirt"
    network_mechanism: Annotated[str, Meta(description="linuxbridge or fake")] = "linuxbridge"
    quotas: Annotated[
        Literal["stored", "unified"],
        Meta(description="limits of projects: stored (each service keeps them) or unified (identity's limits)"),
    ] = "stored"
    max_body: Annotated[int, Meta(ge=1024, description="largest JSON body, bytes")] = 114688
    cache: Annotated[
        str,
        Meta(
            pattern=r"^(memory|memcached://[^,\s]+(,[^,\s]+)*)$",
            description="where verified tokens are kept for a moment: memory, or memcached://HOST:PORT,HOST:PORT",
        ),
    ] = "memory"
    tls_client_header: Annotated[
        str, Meta(description="header in which the front that ends TLS passes the client's certificate; empty: none")
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...], Meta(description="addresses or networks of the fronts that are believed that header")
    ] = ()
    user: Annotated[str, Meta(description="user that the API and reconcile processes run as when started by root")] = (
        "pileus"
    )

    def __post_init__(self) -> None:
        for proxy in self.trusted_proxies:
            ip_network(proxy, strict=False)  # raises ValueError, which names it


class Config:
    """All sections, by the struct that describes each."""

    def __init__(self, state: Path, sections: Mapping[str, msgspec.Struct]) -> None:
        self.state = state
        self.sections = dict(sections)
        self._by_type: dict[type, msgspec.Struct] = {type(section): section for section in sections.values()}

    def section(self, kind: type[T]) -> T:
        found = self._by_type[kind]
        if not isinstance(found, kind):
            raise LookupError(kind.__name__)
        return found

    @property
    def cloud(self) -> CloudSettings:
        return self.section(CloudSettings)

    @property
    def endpoint(self) -> str:
        return (self.cloud.public_url or f"http://{self.cloud.listen}").rstrip("/")

    @property
    def database_url(self) -> str:
        return self.cloud.database or f"sqlite:///{self.state / 'db' / 'pileus.sqlite'}"

    @property
    def policy_file(self) -> Path:
        return Path(self.cloud.policy_file) if self.cloud.policy_file else self.state / "policy.yaml"

    def secret(self, name: str) -> str:
        """A generated secret (`pileus.main` makes them, mode 0600). Raises ConfigError when absent."""
        path = self.state / "secrets" / name
        try:
            return path.read_text().strip()
        except OSError as error:
            raise ConfigError(f"secret {name} cannot be read: {error.strerror}") from None


def load(
    state: Path, file: Path | None, shapes: Mapping[str, type[msgspec.Struct]], overrides: Mapping[str, Any]
) -> Config:
    """`overrides` are `[cloud]` keys from the command line; they win over the file."""
    data: dict[str, Any] = {}
    if file is not None:
        try:
            data = tomllib.loads(file.read_text())
        except OSError as error:
            raise ConfigError(f"{file}: {error.strerror}") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{file}: {error}") from None
    every = {"cloud": CloudSettings, **shapes}
    for name in data:
        if name not in every:
            raise ConfigError(f"unknown section [{name}]; known: {', '.join(sorted(every))}")
    sections: dict[str, msgspec.Struct] = {}
    for name, shape in every.items():
        given = data.get(name, {}) | (dict(overrides) if name == "cloud" else {})
        try:
            sections[name] = msgspec.convert(given, shape)
        except msgspec.ValidationError as error:
            raise ConfigError(f"section [{name}]: {error}") from None
    return Config(state, sections)


def describe(shapes: Mapping[str, type[msgspec.Struct]]) -> str:
    """Every setting with its default and meaning, as a TOML file in which all is commented out."""
    sections: dict[str, type[msgspec.Struct]] = {"cloud": CloudSettings, **shapes}
    return "\n".join(line for name, shape in sections.items() for line in _section(name, shape))


def _section(path: str, shape: type[msgspec.Struct], meaning: str = "", *, named: bool = False) -> Iterator[str]:
    """And the parts in it. What there is only where a configuration names it (`named`) has its header commented out."""
    if meaning:
        yield f"# {meaning}"
    yield f"# [{path}]" if named else f"[{path}]"
    parts: list[str] = []
    info = msgspec.inspect.type_info(shape)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        kind, meaning = field.type, ""
        if isinstance(kind, msgspec.inspect.Metadata):
            meaning, kind = str((kind.extra_json_schema or {}).get("description", "")), kind.type
        if isinstance(kind, msgspec.inspect.StructType):
            parts += _section(f"{path}.{field.name}", kind.cls, meaning, named=named)
        elif isinstance(kind, msgspec.inspect.DictType) and isinstance(kind.value_type, msgspec.inspect.StructType):
            parts += _section(f"{path}.{field.name}.NAME", kind.value_type.cls, meaning, named=True)
        elif (optional := _optional(kind)) is not None:
            parts += _section(f"{path}.{field.name}", optional, meaning, named=True)
        else:
            yield f"# {meaning}".rstrip()
            default = _default(field)
            yield f"# {field.name} = {_toml(default) if default is not None else ''}".rstrip()
    yield ""
    yield from parts


def _optional(kind: msgspec.inspect.Type) -> type[msgspec.Struct] | None:
    """X of a field of type `X | None`, where that is a part of its own."""
    if not isinstance(kind, msgspec.inspect.UnionType):
        return None
    structs = [one.cls for one in kind.types if isinstance(one, msgspec.inspect.StructType)]
    return structs[0] if len(structs) == 1 else None


def _default(field: msgspec.inspect.Field) -> object:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _toml(value: object) -> str:
    """A value as TOML: JSON's form is TOML's for texts, numbers, booleans and lists of these."""
    if isinstance(value, msgspec.Struct):
        value = {name: part for name, part in msgspec.to_builtins(value).items() if part is not None}
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return msgspec.json.encode(value).decode()
