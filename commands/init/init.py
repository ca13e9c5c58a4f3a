"""Write a working configuration and the keys that it needs

Asks for the portal's id and names and for the folders of the backup media; writes portalops.toml, two key pairs for
backups (operator and escrow), a signing key, and this machine's own key, which claims what it records. Nothing is ever
overwritten: with a configuration there, only missing keys are made.

Example: portalops init --portal-id khanhhoa --name-vi 'Cổng thông tin điện tử tỉnh Khánh Hòa' --medium /mnt/disk-a
--medium /mnt/disk-b

EXIT STATUS: 0 written or already there, 2 a value is missing, 4 a file cannot be written, 78 the configuration that
is there is wrong
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, TypeAlias

import typer

from commands.cli.prompt import Prompt, prompt_for
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.config import load
from portalops.config.keys import KeyState, ensure_recipient, ensure_signing_key
from portalops.config.layers import show_path
from portalops.config.load import checked_text
from portalops.config.starter import StartAnswers, StartMedium, medium_ids, starting_configuration
from portalops.errors import UsageError
from portalops.files import write_atomically
from portalops.ledger.claimant import make_writer_key
from portalops.ledger.ledger import FILE as LEDGER
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.private_folder import close_to_others
from portalops.reports.document import Block, Bullets, KeyValues, Notice, Paragraph, Status, TableBlock, Tone

if TYPE_CHECKING:
    from portalops.config import Settings
    from portalops.config.keys import CheckedKey

ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
Checker: TypeAlias = "Callable[[str], Message | None]"
"""Says what is wrong with an answer; None if nothing is."""


@shape
class ShownKey:
    """A key pair that the configuration names."""

    id: str
    state: KeyState
    public_file: str
    private_file: str
    private_is_here: bool
    """The private half lies on this machine; it belongs elsewhere."""
    public_key: str


@shape
class StartedPortal:
    """The configuration, and its keys."""

    id: str
    """Path of the configuration."""
    written: bool
    """It was written now; otherwise it was there already and is unchanged."""
    keys: tuple[ShownKey, ...]


def init(
    ctx: typer.Context,
    *,
    folder: Annotated[Path, typer.Option(help=_("Folder of the configuration"))] = Path(),
    keys: Annotated[bool, typer.Option("--keys", help=_("Only make the keys that the configuration names"))] = False,
    portal_id: Annotated[str, typer.Option(help=_("Id of the portal: lower-case letters, digits, hyphens"))] = "",
    name_vi: Annotated[str, typer.Option(metavar="NAME", help=_("Vietnamese name of the portal"))] = "",
    name_en: Annotated[str, typer.Option(metavar="NAME", help=_("English name of the portal"))] = "",
    language: Annotated[str, typer.Option(metavar="vi|en", help=_("Language of reports: vi or en"))] = "",
    medium: Annotated[
        Optional[list[Path]],  # noqa: UP045  # Typer reads it at run time
        typer.Option(metavar="FOLDER", help=_("Folder of a backup disk; give the option once for each disk")),
    ] = None,
    keys_folder: Annotated[str, typer.Option(help=_("Folder of the keys, relative to the configuration"))] = "keys",
    state_folder: Annotated[str, typer.Option(help=_("Folder of the ledger, relative to the configuration"))] = "state",
) -> Result[StartedPortal]:
    session = open_session(ctx)
    target = (session.invocation.config or folder / "portalops.toml").absolute()
    if keys or os.path.lexists(target):
        settings = session.settings if keys and not os.path.lexists(target) else _loaded(target, session)
        made = _ensure_keys(settings, session)
        return _result(settings.files[0], made, written=False)
    prompt = prompt_for(no_input=session.invocation.no_input)
    answers = _ask(
        prompt,
        target.parent,
        portal_id=portal_id,
        name_vi=name_vi,
        name_en=name_en,
        language=language,
        media=medium or (),
        keys_folder=keys_folder,
        state_folder=state_folder,
    )
    _write(target, answers)
    settings = _loaded(target, session)
    done = _result(target, _ensure_keys(settings, session), written=True)
    return replace(done, warnings=tuple(_absent(each) for each in answers.media if not each.is_there))


def _loaded(target: Path, session: Session) -> Settings:
    settings = load(target, session.environment)
    close_to_others(settings.state_folder)
    return settings


def _ask(
    prompt: Prompt,
    base: Path,
    *,
    portal_id: str,
    name_vi: str,
    name_en: str,
    language: str,
    media: Sequence[Path],
    keys_folder: str,
    state_folder: str,
) -> StartAnswers:
    portal_id = _given("--portal-id", portal_id, _id_problem) or prompt.ask(
        msg("Id of the portal (lower-case letters, digits, hyphens)"),
        option="--portal-id",
        default="",
        accept=_id_problem,
    )
    name_vi = _given("--name-vi", name_vi, _name_problem) or prompt.ask(
        msg("Name of the portal in Vietnamese"), option="--name-vi", default="", accept=_name_problem
    )
    name_en = _given("--name-en", name_en, _name_problem) or prompt.ask(
        msg("Name of the portal in English"), option="--name-en", default=name_vi, accept=_name_problem
    )
    language = _given("--language", language, _language_problem) or prompt.ask(
        msg("Language of reports (vi or en)"), option="--language", default="vi", accept=_language_problem
    )
    folders = [str(path) for path in media] or prompt.ask(
        msg("Folders of the backup disks, separated by commas"), option="--medium", default="", accept=_media_problem
    ).split(",")
    for text in folders:
        _given("--medium", text, _media_problem)
    return StartAnswers(
        portal_id=portal_id,
        name_vi=name_vi.strip(),
        name_en=name_en.strip(),
        language=language,
        timezone=DEFAULT_ZONE,
        media=_media([text.strip() for text in folders], base),
        keys_folder=keys_folder.rstrip("/") or "keys",
        state_folder=state_folder,
    )


def _media(texts: Sequence[str], base: Path) -> tuple[StartMedium, ...]:
    paths = [Path(text).expanduser() for text in texts]
    # A folder given on the command line is relative to where the person stands, not to the configuration.
    absolute = [path.absolute() for path in paths]
    return tuple(
        _medium(name, path, _as_written(path, base))
        for name, path in zip(medium_ids(len(absolute)), absolute, strict=True)
    )


def _medium(name: str, path: Path, written: str) -> StartMedium:
    """Describe a folder as the disk that it is, or is to become: one that is away is never taken for this machine's own."""
    if _device_of(path) != _device_of(Path("/etc")):
        return StartMedium(name, written, shares_filesystem=False, mount_point=_mount_point_of(path))
    mount_point = _place_of_disk(path)
    is_there = path.is_dir() and not mount_point
    return StartMedium(name, written, shares_filesystem=is_there, mount_point=mount_point, is_there=is_there)


def _place_of_disk(path: Path) -> str:
    """Return where a disk is to be mounted, by the names that are kept for that; empty for any other folder.

    Of `/mnt` and `/media` the file system hierarchy standard (3.0, 3.12 and 3.11) says so; desktops mount what is plugged in
    on `/run/media/USER/LABEL`, or `/media/USER/LABEL` on Debian.
    """
    for top, user in (
        ("/run/media", True),
        ("/media", (Path("/home") / Path(*path.parts[2:3])).is_dir()),
        ("/mnt", False),
    ):
        if path.is_relative_to(top):
            return str(Path(top, *path.relative_to(top).parts[: 2 if user else 1]))
    return ""


def _absent(medium: StartMedium) -> Message:
    if medium.mount_point:
        return msg(
            "no disk is mounted on {folder}: until one is, nothing is written to {medium}",
            folder=medium.mount_point,
            medium=medium.id,
        )
    return msg(
        "there is no folder {folder}: until there is, on a disk of its own, nothing is written to {medium}",
        folder=medium.folder,
        medium=medium.id,
    )


def _as_written(path: Path, base: Path) -> str:
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def _mount_point_of(path: Path) -> str:
    """Return where the file system of a folder is mounted; empty for the root file system."""
    found = next(each for each in (path, *path.parents) if each.is_mount())
    return "" if found == Path("/") else str(found)


def _device_of(path: Path) -> int:
    """Return the device of a folder, or of the nearest one above it that exists."""
    while not os.path.exists(path):
        path = path.parent
    return path.stat().st_dev


def _write(target: Path, answers: StartAnswers) -> None:
    """Write the configuration, after it has been read as one."""
    text = starting_configuration(answers)
    checked_text(target, text)
    write_atomically(target, text.encode(), mode=0o644)


def _ensure_keys(settings: Settings, session: Session) -> tuple[CheckedKey, ...]:
    made_at = session.clock.now()
    pairs = [
        ensure_recipient(setting, made_at=made_at)
        for setting in settings.backup.recipient_settings
        if setting.file is not None
    ]
    if settings.signing_key is not None:
        pairs.append(ensure_signing_key(settings.signing_key, comment=f"portalops@{settings.portal.id}"))
        if settings.ledger_store is None and not (settings.state_folder / LEDGER).exists():
            make_writer_key(settings.state_folder)  # the first head enrols this machine with it
    return tuple(pairs)


def _result(config: Path, pairs: Sequence[CheckedKey], *, written: bool) -> Result[StartedPortal]:
    state = msg("written now") if written else msg("was there already, unchanged")
    blocks: list[Block] = [
        KeyValues([(msg("Configuration"), msg("{path}: {state}", path=show_path(config), state=state))])
    ]
    if pairs:
        rows = [(key.id, show_path(key.public_file), _status(key), key.public_key) for key in pairs]
        blocks.append(TableBlock(msg("Keys"), (msg("Key"), msg("Public file"), msg("State"), msg("Public key")), rows))
    here = [key for key in pairs if key.id != "signing" and key.private_is_here]
    if here:
        blocks += _custody(here)
    blocks.append(
        Paragraph(msg("Next: 'portalops config check', then 'portalops doctor', then 'portalops run'."))
        if written
        else Paragraph(msg("Next: 'portalops config check'."))
    )
    keys = tuple(
        ShownKey(
            id=key.id,
            state=key.state,
            public_file=str(key.public_file),
            private_file=str(key.private_file),
            private_is_here=key.private_is_here,
            public_key=key.public_key,
        )
        for key in pairs
    )
    return Result(StartedPortal(str(config), written, keys), blocks)


def _custody(here: Sequence[CheckedKey]) -> list[Block]:
    """Say plainly that private keys must leave this machine, and how."""
    steps: list[Message] = []
    for key in here:
        path = show_path(key.private_file)
        where = (
            msg("in a sealed envelope or safe outside the Unit, such as at the Department")
            if key.id == "escrow"
            else msg("with the officer who restores, on a machine that is not backed up by this one")
        )
        steps.append(
            msg(
                "{path}: copy it to two USB sticks or print it, keep it {where}; then remove it here: shred -u {path}",
                path=path,
                where=where,
            )
        )
    return [
        Notice(
            msg(
                "Move the private keys off this machine now. A host that keeps no private key can open no backup set, so"
                " whoever breaks in cannot read what was saved; but without these keys nobody can restore."
            ),
            Tone.BAD,
        ),
        Bullets(steps),
        Paragraph(msg("Before you remove one, compare what the copy gives with the table above: age-keygen -y COPY")),
    ]


def _status(key: CheckedKey) -> Status:
    match key.state:
        case KeyState.MADE:
            return Status(msg("made now"), Tone.GOOD)
        case KeyState.COMPLETED:
            return Status(msg("public key derived from the private one"), Tone.GOOD)
        case KeyState.PRESENT:
            return Status(msg("was there already"), Tone.NEUTRAL)
        case KeyState.PUBLIC_ONLY:
            return Status(msg("public key there, private key elsewhere"), Tone.GOOD)


def _given(option: str, value: str, problem_of: Checker) -> str:
    """Return a value from the command line after checking it; empty if it was not given."""
    problem = problem_of(value) if value else None
    if problem is not None:
        raise UsageError(
            msg("{option} does not take {value}: {problem}", option=option, value=repr(value[:60]), problem=problem),
            msg("Run 'portalops init --help' to see how it is called."),
        )
    return value


def _id_problem(text: str) -> Message | None:
    return None if ID.fullmatch(text) else msg("an id has lower-case letters, digits and hyphens, at most 63")


def _name_problem(text: str) -> Message | None:
    if not text.strip():
        return msg("a name is needed")
    return None if text.isprintable() else msg("a name has no control characters")


def _language_problem(text: str) -> Message | None:
    return None if text in {"vi", "en"} else msg("it is vi or en")


def _media_problem(text: str) -> Message | None:
    for part in text.split(","):
        if not part.strip():
            return msg("a folder is needed")
        if not part.isprintable():
            return msg("a name has no control characters")
        if Path(part.strip()).expanduser().is_file():
            return msg("{path} is a file, not a folder", path=part.strip())
    return None


VERB = Verb(init)
