"""portalops.toml, from files to typed settings; an error names file, line, key and a hint."""

from __future__ import annotations

from portalops.config.load import load
from portalops.config.settings import Recipient, Settings
from portalops.config.tables import KindTable, LocalPath

__all__ = ["KindTable", "LocalPath", "Recipient", "Settings", "load"]
