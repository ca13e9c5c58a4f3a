"""The writing of a set alone, without the reading back that `portalops backup run` does: `python -m bench._seal CONFIG MEDIA`."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from backups.job import make_set
from backups.media import build_medium
from backups.plan import PlannedMedium, PlannedSource, make_plan
from backups.sources import SourceContext, build_source
from portalops.config.tables import KindTable
from portalops.system.clock import SystemClock
from tests.doubles import SilentProgress

PACK_BYTES = 64 << 20


def main(arguments: Sequence[str]) -> int:
    """Make a full set of all sources on so many of the media; 0 if it is on all of them."""
    path, count = Path(arguments[0]), int(arguments[1])
    if not count:
        return 0  # the start of the program is what is measured
    settings = tomllib.loads(path.read_text(encoding="utf-8"))["backup"]
    sources = [build_source(_table(each, path.parent), SourceContext(path.parent)) for each in settings["source"]]
    media = [build_medium(_table(each, path.parent)) for each in settings["medium"][:count]]
    plan = make_plan(
        "bench",
        [PlannedSource(each.id, each.kind, each.data_class) for each in sources],
        [PlannedMedium(each.id, each.kind) for each in media],
        [(each["name"], each["key"]) for each in settings["recipients"]],
        pack_bytes=PACK_BYTES,
        excused={},
    )
    result = make_set(plan, sources, media, clock=SystemClock(), progress=SilentProgress())
    return 0 if result.set is not None and not any(copy.problem for copy in result.copies) else 1


def _table(settings: dict[str, object], folder: Path) -> KindTable:
    rest = {key: value for key, value in settings.items() if key not in {"id", "kind"}}
    return KindTable.alone(str(settings["id"]), str(settings["kind"]), rest, folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
