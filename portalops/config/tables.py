"""Tables of a kind: a source's or medium's settings as they stand, until the kind itself types them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from portalops.config.layers import ConfigurationFile, Layers
from portalops.config.positions import KeyPath
from portalops.config.problems import validated
from portalops.config.values import LocalPath, RefusedValue

__all__ = ["KindTable", "LocalPath", "RefusedValue"]

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class KindTable:
    """One `[[backup.source]]`, `[[backup.medium]]`, `[[updates.source]]`, or `[checks.declared]`."""

    id: str
    kind: str
    values: Mapping[str, Any]
    """Its keys and raw values, without `id` and `kind`."""
    section: str
    """Where it stands: `backup.source`."""
    path: KeyPath
    """Its path in the joined configuration."""
    layers: Layers = field(repr=False)

    @classmethod
    def alone(cls, id: str, kind: str, values: Mapping[str, Any], folder: Path) -> KindTable:  # noqa: A002
        """Return a table as if it stood alone in `portalops.toml` of that folder; its paths start there."""
        layers = Layers()
        tree = {"table": {"id": id, "kind": kind, **values}}
        layers.add_file(ConfigurationFile(folder / "portalops.toml", "", tree))
        return cls(id, kind, dict(values), kind, ("table",), layers)

    @property
    def place(self) -> str:
        """File and line where it begins, such as `portalops.toml:42`."""
        return self.layers.place(self.path)

    @property
    def folder(self) -> Path:
        """The folder that its relative paths start from."""
        return self.layers.folder(self.path)

    def parse(self, model: type[ModelT]) -> ModelT:
        """Return the table as its kind's settings; `LocalPath`s are resolved against its file's folder.

        Raises:
            ConfigurationError: it does not have the shape; the message names file, line and key.
        """
        return validated(
            model,
            self.values,
            place=lambda path: self.layers.place((*self.path, *path)),
            prefix=self.section,
            context={"folder": self.folder},
        )
