"""Single values from `PORTALOPS_<SECTION>_<KEY>` and from options, laid over the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from portalops.config.layers import Layers
from portalops.config.problems import model_of, scalar_of
from portalops.config.shape import PortalopsFile
from portalops.errors import UnknownKey
from portalops.model.message import msg
from portalops.model.text import show_text

PREFIX = "PORTALOPS_"
NOT_VALUES = frozenset({"PORTALOPS_CONFIG", "PORTALOPS_LANG", "PORTALOPS_LOG_FORMAT"})
"""Variables of portalops that are no values of the configuration."""


def variables() -> dict[str, tuple[tuple[str, ...], type]]:
    """Return each variable with the key that it sets and the key's type; tables in lists cannot be set this way."""
    return {PREFIX + "_".join(path).upper(): (path, kind) for path, kind in _scalars(PortalopsFile, ())}


def lay_environment(layers: Layers, environment: Mapping[str, str]) -> None:
    """Lay the values of the environment over the files.

    Raises:
        UnknownKey: a variable begins like one of a section and names no key of it.
    """
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX) and name not in NOT_VALUES}
    if not given:
        return
    known = variables()
    sections = tuple(f"{PREFIX}{name.upper()}_" for name in PortalopsFile.model_fields)
    for name, text in sorted(given.items()):
        if name in known:
            path, kind = known[name]
            layers.add_value(path, _typed(text, kind), name)
        elif name.startswith(sections):
            close = get_close_matches(name, known, 1)
            raise UnknownKey(
                msg("the environment variable {name} is not a setting of portalops", name=show_text(name, 80)),
                msg("Did you mean {close}?", close=close[0]) if close else msg("Unset it: unset {name}.", name=name),
            )


def lay_options(layers: Layers, options: Mapping[str, str]) -> None:
    """Lay the values of options, by dotted key, over everything.

    Raises:
        UnknownKey: there is no such key.
    """
    known = {".".join(path): (path, kind) for path, kind in _scalars(PortalopsFile, ())}
    for key, text in options.items():
        if key not in known:
            close = get_close_matches(key, known, 1)
            raise UnknownKey(
                msg("{place}: unknown key {key}", place=msg("option"), key=show_text(key, 80)),
                msg("Did you mean {close}?", close=close[0])
                if close
                else msg("Run 'portalops config show' to see the keys."),
            )
        path, kind = known[key]
        layers.add_value(path, _typed(text, kind), f"--{key}")


def _scalars(shape: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type]]:
    for name, info in shape.model_fields.items():
        here = (*path, info.alias or name)
        inner = model_of(info.annotation)
        if inner is not None:
            yield from _scalars(inner, here)
            continue
        kind = scalar_of(info.annotation)
        if kind is not None:
            yield here, kind


def _typed(text: str, kind: type) -> Any:
    """Return a variable's text as the key's type; what does not fit stays text and is refused with its name."""
    if kind is bool:
        return {"true": True, "false": False, "1": True, "0": False}.get(text.strip().lower(), text)
    if kind is int and text.strip().removeprefix("-").isdecimal():
        return int(text)
    return text
