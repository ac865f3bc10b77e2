"""Reads the layers of settings, merges them and remembers where each value came from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from recsys.core.errors import UsageError
from recsys.core.settings import Settings

FILE_NAME = "recsys.toml"
ENV_PREFIX = "RECSYS_"
SECTIONS = frozenset(name for name, field in Settings.model_fields.items() if isinstance(field.default, BaseModel))

Key = tuple[str, ...]
"Path to one setting, such as train, epochs."
LISTS: frozenset[Key] = frozenset({("train", "relations"), ("qdrant", "indexed")})
"Settings whose environment variable has commas between its values."


@dataclass(frozen=True)
class Config:
    """Validated settings with the origin of each value that is not a default.

    Attributes:
        settings: The merged settings; ``workspace`` is absolute.
        origins: Key to a phrase such as ``recsys.toml`` or ``environment RECSYS_TRAIN__EPOCHS``.
    """

    settings: Settings
    origins: Mapping[Key, str]

    def rows(self) -> Iterator[tuple[str, Any, str]]:
        """Yield (dotted name, value, origin) of every setting, in the order of declaration."""
        for name in Settings.model_fields:
            value = getattr(self.settings, name)
            if name in SECTIONS:
                for key in type(value).model_fields:
                    yield f"{name}.{key}", getattr(value, key), self.origins.get((name, key), "default")
            else:
                yield name, value, self.origins.get((name,), "default")


def load_config(
    flags: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Config:
    """Merge flags over the environment over ``recsys.toml`` over defaults.

    Args:
        flags: Section to key to value; a value of None counts as not given.
        environ: Environment variables, ``os.environ`` by default. ``RECSYS_TRAIN__EPOCHS`` sets ``train.epochs``.
        directory: Where the search for ``recsys.toml`` starts, going up; the working directory by default.

    Raises:
        UsageError: ``recsys.toml`` cannot be parsed, or a key or value in any layer is not allowed.
    """
    directory = (directory or Path.cwd()).resolve()
    path = _find_file(directory)
    merged: dict[str, Any] = {}
    origins: dict[Key, str] = {}
    layers = [
        _file_layer(path),
        _environment_layer(os.environ if environ is None else environ),
        _flag_layer(flags or {}),
    ]
    for layer in layers:
        for key, value, origin in layer:
            origins[key] = origin
            _put(merged, key, value, origin)
    settings = _validate(merged, origins)
    home = path.parent if path else directory
    return Config(settings.model_copy(update={"workspace": home / settings.workspace.expanduser()}), origins)


def _find_file(directory: Path) -> Path | None:
    return next((d / FILE_NAME for d in (directory, *directory.parents) if (d / FILE_NAME).is_file()), None)


def _file_layer(path: Path | None) -> Iterator[tuple[Key, Any, str]]:
    if path is None:
        return
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}; correct that line and run again") from error
    for name, value in table.items():
        if name in SECTIONS and isinstance(value, dict):
            for key, inner in value.items():
                yield (name, key), inner, str(path)
        else:
            yield (name,), value, str(path)


def _environment_layer(environ: Mapping[str, str]) -> Iterator[tuple[Key, Any, str]]:
    for variable, value in environ.items():
        key = tuple(variable.removeprefix(ENV_PREFIX).lower().split("__"))
        is_ours = len(key) > 1 or key[0] in Settings.model_fields
        if variable.startswith(ENV_PREFIX) and is_ours:
            parsed = value.split(",") if key in LISTS else value
            yield key, parsed, f"environment {variable}"


def _flag_layer(flags: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Key, Any, str]]:
    for section, values in flags.items():
        for key, value in values.items():
            if value is not None:
                yield (section, key), value, "flag"


def _put(tree: dict[str, Any], key: Key, value: Any, origin: str) -> None:
    *parents, last = key
    for depth, parent in enumerate(parents, start=1):
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise UsageError(
                f"{origin}: {'.'.join(key)} cannot be set, because {'.'.join(key[:depth])} = {tree!r} is not a "
                "section; remove one of the two, `recsys config show` lists all settings"
            )
    tree[last] = value


def _validate(values: Mapping[str, Any], origins: Mapping[Key, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise UsageError("; ".join(_complaint(e, origins) for e in error.errors())) from error


def _is_secret(location: Key) -> bool:
    field = type(Settings.model_fields[location[0]].default).model_fields.get(location[-1]) if location[1:] else None
    return field is not None and SecretStr in get_args(field.annotation)


def _complaint(error: Any, origins: Mapping[Key, str]) -> str:
    location = tuple(str(part) for part in error["loc"])
    name = ".".join(location)
    # a list is set as a whole, and an unknown section by its keys: the origin's key may be shorter or longer
    origin = next((o for key, o in origins.items() if key[: len(location)] == location[: len(key)]), "settings")
    if error["type"] == "extra_forbidden":
        section = Settings.model_fields[location[0]].default if location[0] in SECTIONS else Settings()
        allowed = ", ".join(type(section).model_fields)
        return f"{origin}: there is no setting {name!r} (allowed: {allowed}); `recsys config show` lists all"
    value = "a value" if _is_secret(location) else repr(error["input"])
    return f"{origin}: {name} = {value} is not allowed: {error['msg']}; `recsys config show` lists all settings"
