"""What the configuration asks of this machine for its jobs to run by themselves: paths, credentials, rights, and the program."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from backups.media import build_medium
from backups.sources import SourceContext, build_source
from checks.servers.probe_service import program_text
from commands.cli.kinds import DOORS, typed_tables
from commands.jobs.servers import all_probes
from portalops.config.effective import references_in
from portalops.config.layers import show_path
from portalops.config.secrets import CREDENTIALS
from portalops.errors import ScheduleRefused
from portalops.model.causes import cause_of
from portalops.model.hosts import LOCAL
from portalops.model.message import msg
from portalops.schedule.plan import Demands, ServiceCredential

if TYPE_CHECKING:
    from portalops.config import KindTable, Settings

_HOMES = tuple(Path("/", name) for name in ("home", "root", "run/user"))
"""What ProtectHome= covers."""

_PRIVATE = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  # named to be refused
"""What PrivateTmp= covers: a service has its own."""


def demands_of(
    settings: Settings,
    *,
    program: str = "",
    encrypted: Iterable[str] | None = None,
    top: Path = Path("/"),
) -> Demands:
    """Return what the schedule of this configuration needs.

    Args:
        settings: the configuration.
        program: the path of portalops that is to be called; the configured one, or the one that runs, unless given.
        encrypted: names of credentials that are encrypted; looked up unless given.
        top: the root folder of the image that it is for: what the configuration names relative to itself lies in there.

    Raises:
        ConfigurationError: a table does not fit its kind.
        ScheduleRefused: the program that runs has no lasting path.
    """
    models, problems = typed_tables(settings)
    if problems:
        raise problems[0]
    written = _written(settings, models)
    must, may, made = (_inside(top, paths) for paths in (written.must, written.may, written.made))
    program = program or program_of(settings)
    files = _inside(top, settings.files)
    sources = _inside(top, _local_sources(settings, models))
    everywhere = (Path(program), *files, *must, *may)
    names = credential_names(models.values())
    is_checked = any(host.address == LOCAL for host in settings.hosts)
    known = frozenset(encrypted) if encrypted is not None else frozenset(name for name in names if _is_encrypted(name))
    return Demands(
        program=program,
        config=str(files[0]),
        user=settings.schedule.user,
        every_minutes=settings.schedule.every_minutes,
        random_delay_minutes=settings.schedule.random_delay_minutes,
        jobs=settings.jobs,
        writes=_texts(must),
        may_write=_texts(may),
        makes=_texts(made),
        reads=_texts(_inside(top, _private_files(settings, models))),
        devices=tuple(sorted(_devices(models))),
        credentials=tuple(_credential(name, is_encrypted=name in known) for name in names),
        reads_this_machine=bool(sources),
        checks_this_machine=is_checked,
        watches=bool(settings.witnessed),
        works=settings.cluster is not None,
        probe_program=program_text(all_probes().values()) if is_checked else "",
        in_homes=_any_in_homes((*everywhere, *_inside(top, _read(settings, models)))),
        sources_in_homes=_any_in_homes(sources) or Path("/") in sources,
    )


def program_of(settings: Settings) -> str:
    """Return the path by which portalops is to be called: as configured, or as it was called now.

    Raises:
        ScheduleRefused: it was called in a way that has no path of its own, such as `python -m`.
    """
    if settings.schedule.program is not None:
        return str(settings.schedule.program)
    called = sys.argv[0]
    found = called if os.path.isabs(called) else shutil.which(called) or os.path.abspath(called)
    if os.path.basename(found) != "portalops" or not os.access(found, os.X_OK):
        raise ScheduleRefused(
            msg("portalops was called by {path}, which nothing else can call", path=show_path(Path(found))),
            msg('Name the installed program: program = "/usr/local/bin/portalops" in [schedule].'),
        )
    return os.path.abspath(found)


def credential_names(models: Iterable[BaseModel]) -> tuple[str, ...]:
    """Return the names of the credentials that the configuration refers to."""
    references = (reference for model in models for reference in references_in(model))
    return tuple(sorted({each.credential for each in references if each.credential is not None}))


def is_inside(path: Path, folders: Iterable[Path]) -> bool:
    """Say whether a path is one of the folders, or in one."""
    return any(path == folder or path.is_relative_to(folder) for folder in folders)


def _inside(top: Path, paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return paths as a machine sees them whose root folder lies here at `top`; those that lie elsewhere stay as they are."""
    whole = (Path(os.path.abspath(path)) for path in paths)
    return tuple("/" / path.relative_to(top) if path.is_relative_to(top) else path for path in whole)


@dataclass(slots=True)
class _Written:
    """The folders that are written to."""

    must: list[Path]
    """That are there, or are made."""
    may: list[Path]
    """That are there now and then."""
    made: list[Path]
    """That portalops makes."""


def _written(settings: Settings, models: Mapping[KindTable, BaseModel]) -> _Written:
    drill, reports = settings.backup.drill, settings.report.folder
    found = _Written([settings.state_folder], [reports], [settings.state_folder, reports])
    found.may += [path for path in (drill.reports, drill.folder) if path is not None and not is_inside(path, _PRIVATE)]
    for table in settings.backup_media:
        _add(found, models[table], build_medium(table).places())
    for table, model in models.items():
        if table.section in DOORS:
            _add(found, model, DOORS[table.section].load(table.kind).writes(model))
    found.may = [path for path in found.may if not path.is_relative_to(settings.state_folder)]
    return found


def _add(found: _Written, model: BaseModel, folders: Sequence[Path]) -> None:
    """Add a table's folders; one that is made on a disk that is mounted now and then is written by way of that disk."""
    mount_point: Path | None = getattr(model, "mount_point", None)
    if not getattr(model, "create", False):
        found.may += folders
    elif mount_point is not None:
        found.may.append(mount_point)
    else:
        found.may += folders
        found.made += folders


def _local_sources(settings: Settings, models: Mapping[KindTable, BaseModel]) -> Iterator[Path]:
    """Yield the files and folders of this machine, beside portalops's own, that backups and inventories read."""
    context = SourceContext(settings.state_folder, ())
    for table in settings.backup_sources:
        places = build_source(table, context).places()
        yield from (path for path in places if not path.is_relative_to(settings.state_folder))
    for table in settings.collections:
        yield from _paths_in(models[table])


def _read(settings: Settings, models: Mapping[KindTable, BaseModel]) -> Iterator[Path]:
    """Yield what every part may have to read: keys, and whatever the tables of kinds name but sources and collections."""
    named = (settings.signing_key, settings.calendar_file, settings.servers.identity, settings.backup.drill.identity)
    yield from (path for path in named if path is not None)
    yield from (way.identity for way in settings.servers.ways.values() if way.identity is not None)
    yield from (setting.file for setting in settings.backup.recipient_settings if setting.file is not None)
    yield from settings.vulnerabilities.bundles
    for table, model in models.items():
        if table.section not in {"backup.source", "archive.collection"}:
            yield from _paths_in(model)


def _private_files(settings: Settings, models: Mapping[KindTable, BaseModel]) -> Iterator[Path]:
    """Yield the files with keys and secrets; the drill's key may be somebody else's, who does drills by hand."""
    if settings.signing_key is not None:
        yield settings.signing_key
    if settings.servers.identity is not None:
        yield settings.servers.identity
    yield from (way.identity for way in settings.servers.ways.values() if way.identity is not None)
    for model in models.values():
        yield from (reference.file for reference in references_in(model) if reference.file is not None)


def _paths_in(node: object) -> Iterator[Path]:
    if isinstance(node, Path):
        yield node
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _paths_in(getattr(node, name))
    elif isinstance(node, Mapping):
        for inner in node.values():
            yield from _paths_in(inner)
    elif isinstance(node, (list, tuple)):
        for inner in node:
            yield from _paths_in(inner)


def _devices(models: Mapping[KindTable, BaseModel]) -> set[str]:
    media = (model for table, model in models.items() if table.section == "backup.medium")
    return {str(path) for model in media for path in _paths_in(model) if path.is_relative_to("/dev")}


def require_visible(demands: Demands) -> None:
    """Make sure that nothing needed lies where each service has a folder of its own: it would see nothing there.

    Raises:
        ScheduleRefused: something does.
    """
    for path in map(Path, (demands.program, demands.config, *demands.writes, *demands.may_write)):
        if is_inside(path, _PRIVATE):
            raise ScheduleRefused(
                msg(
                    "{path} lies in a folder for passing files, of which each service has its own", path=show_path(path)
                ),
                msg("Move it, such as to /srv or /opt, and correct the configuration."),
            )


def _any_in_homes(paths: Iterable[Path]) -> bool:
    return any(is_inside(path, _HOMES) for path in paths)


def _is_encrypted(name: str) -> bool:
    try:
        return stat.S_ISREG((CREDENTIALS / f"{name}.cred").stat().st_mode)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ScheduleRefused(
            msg("cannot list the credentials in {path}: {cause}", path=show_path(CREDENTIALS), cause=cause_of(error)),
            msg("Run it as root, whom they belong to."),
        ) from error


def _credential(name: str, *, is_encrypted: bool) -> ServiceCredential:
    return ServiceCredential(name, str(CREDENTIALS / (f"{name}.cred" if is_encrypted else name)), is_encrypted)


def _texts(paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(sorted({os.path.normpath(path) for path in paths}))
