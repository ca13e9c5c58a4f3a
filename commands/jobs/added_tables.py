"""Tables that a command adds to the configuration: read back together with all that is there before anything is written."""

from __future__ import annotations

from pathlib import Path

from checks.updates.clashes import name_clashes, source_clashes
from checks.updates.sources import build_update_source
from commands.cli.session import Session
from portalops.config.layers import Layers, parsed
from portalops.config.load import settings_of
from portalops.system.web import HttpWeb


def check_added(session: Session, text: str, path: Path) -> None:
    """Read the configuration as it would be with a text in a file: behind what it holds, or as a new one.

    Raises:
        ConfigurationError: it would be wrong, a source's settings do not fit its kind, or it names or polls what is another's.
    """
    layers = Layers()
    files = session.settings.layers.files
    for file in files:
        layers.add_file(parsed(path, file.text.rstrip("\n") + "\n" + text) if file.path == path else file)
    if all(file.path != path for file in files):
        layers.add_file(parsed(path, text))
    settings = settings_of(layers)
    for clash in (*name_clashes(settings), *source_clashes(settings)):
        raise clash
    for table in settings.update_sources:
        build_update_source(table, zone=session.zone_of_portal, web=HttpWeb())
