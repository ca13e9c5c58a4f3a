"""The configured bundles of known vulnerabilities, for a round of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.servers.lookup import load
from commands.cli.session import Session

if TYPE_CHECKING:
    from checks.servers.lookup import Vulnerabilities


def known_vulnerabilities(session: Session) -> Vulnerabilities:
    """Read the configured bundles; what is wrong with one makes the checks that need it unknown, and stops nothing."""
    settings = session.settings.vulnerabilities
    return load(settings.bundles, settings.keys, settings.max_age_days)
