"""The typed configuration that everything else works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from portalops.config.layers import Layers, show_path
from portalops.config.positions import KeyPath
from portalops.config.problems import show_value
from portalops.config.shape import PortalopsFile
from portalops.config.tables import KindTable
from portalops.config.values import PUBLIC_KEY
from portalops.errors import ConfigurationError
from portalops.model.archive import HeldItems
from portalops.model.backups import DataClass
from portalops.model.causes import cause_of
from portalops.model.heads import Person
from portalops.model.hosts import HostWay
from portalops.model.message import msg
from portalops.model.office import OfficeSettings
from portalops.model.organisation import Actor, Agency, Host, HostId, Portal
from portalops.model.record import Digest
from portalops.model.retention import RetentionPolicy
from portalops.model.runs import Every, Job, Span
from portalops.model.values import dataclass


class Recipient(NamedTuple):
    """A public key that opens the backup sets."""

    name: str
    """Whose: `operator`, `escrow`, ..."""
    public_key: str
    """An age X25519 recipient, `age1...`."""


@dataclass(frozen=True)
class RecipientSetting:
    """A recipient as configured: by a file or by the key itself."""

    name: str
    file: Path | None
    key: str | None
    path: KeyPath
    layers: Layers = field(repr=False, compare=False)

    @property
    def place(self) -> str:
        """File and line where it is configured."""
        return self.layers.place(self.path)

    def read(self) -> Recipient:
        """Return the recipient with its key.

        Raises:
            ConfigurationError: the file is not there, cannot be read, or holds no age public key.
        """
        if self.file is None:
            return Recipient(self.name, self.key or "")
        try:
            text = self.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            cause = cause_of(error) if isinstance(error, OSError) else msg("it is not text in UTF-8")
            raise ConfigurationError(
                msg(
                    "{place}: cannot read the public key of {name} in {path}: {cause}",
                    place=self.place,
                    name=self.name,
                    path=show_path(self.file),
                    cause=cause,
                ),
                msg("Run 'portalops init --keys' to make the keys that are missing, or correct the path."),
            ) from error
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if any(line.upper().startswith("AGE-SECRET-KEY-") for line in lines):
            raise ConfigurationError(
                msg("{place}: {path} holds a private key", place=self.place, path=show_path(self.file)),
                msg("Name the file with the public key, which begins with age1."),
            )
        if len(lines) != 1 or not PUBLIC_KEY.fullmatch(lines[0]):
            shown = show_value(lines[0]) if lines else '""'
            raise ConfigurationError(
                msg(
                    "{place}: {path} holds no age public key: {value}",
                    place=self.place,
                    path=show_path(self.file),
                    value=shown,
                ),
                msg("The file holds one line that begins with age1; 'age-keygen -y KEY' prints it."),
            )
        return Recipient(self.name, lines[0])


@dataclass(frozen=True, slots=True)
class RulebookSettings:
    """Which regulation, and the numbers that this portal reads otherwise."""

    id: str
    overrides: Mapping[str, int | str | bool]
    """Names of `model.rulebook.Numbers`; only what was written."""


@dataclass(frozen=True, slots=True)
class DrillSettings:
    """How copies are restored and tried out."""

    identity: Path | None
    """File with a private age key; None on hosts that do no drills by themselves."""
    folder: Path
    """Scratch folders are made in it."""
    user: str
    """Who runs throw-away servers, where portalops runs as root."""
    signers: Path | None = None
    """The `allowed_signers` file of the portal's ledger, on a host that takes the sets from the media."""
    reports: Path | None = None
    """Folder in which each drill leaves a signed report."""
    trusted: tuple[str, ...] = ()
    """Public keys of the recovery hosts whose reports are taken up."""


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Who can open the sets, and how they are cut."""

    recipient_settings: tuple[RecipientSetting, ...]
    pack_bytes: int
    excused: Mapping[DataClass, str]
    """Class of data: why this portal has none of it."""
    full_every: Span | None = None
    """One full set in each such span, and differentials between; None for full sets alone."""
    drill: DrillSettings = DrillSettings(None, Path("/var/tmp"), "nobody")  # noqa: S108  # see DrillTable
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)
    unread_months: int = 6
    """How long a medium may be left unread; 0 for any time."""

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """The recipients with their keys, read now.

        Raises:
            ConfigurationError: a key file is not there or holds no public key.
        """
        return tuple(setting.read() for setting in self.recipient_settings)


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """How the archive of Article 10.1 is judged."""

    excused: Mapping[HeldItems, str]
    """What this portal has none of: why."""
    max_shrink_percent: int
    """How much of a collection may be gone before it is at fault whatever it is."""


@dataclass(frozen=True, slots=True)
class UpdatesSettings:
    """How publications are judged."""

    judge_weeks: int
    poll_every: Every
    cases_from: date | None = None
    """Weeks that ended before it open no case; None for before the ledger's first day."""
    rule_sets: tuple[str, ...] = ()
    """Ids of the time limits of other regulations that period reports judge too."""


@dataclass(frozen=True, slots=True)
class VulnerabilitySettings:
    """The bundles of known vulnerabilities."""

    bundles: tuple[Path, ...]
    keys: tuple[str, ...]
    """Public keys that may sign them, `ssh-ed25519 BASE64`."""
    max_age_days: int


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the servers are looked at."""

    ways: Mapping[HostId, HostWay]
    """Of every host but this machine."""
    user: str
    """The account where a host names no other."""
    identity: Path | None
    """The private key where a host names no other."""
    at_once: int
    host_seconds: int
    """How long a scan waits for each host."""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """Where reports go."""

    folder: Path
    languages: tuple[str, ...]
    mail: KindTable | None = None
    """`[report.mail]`; None where reports are not mailed."""


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """How often it is looked what is due, and as whom."""

    user: str
    every_minutes: int
    random_delay_minutes: int
    program: Path | None
    """portalops, where another than the one that is running is to be called."""


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How parts of jobs are spread over workers."""

    at_once: int
    slots: int
    wait_minutes: int


@dataclass(frozen=True)
class Settings:
    """The whole configuration, typed, with absolute paths; kinds' own tables are typed by their kinds."""

    portal: Portal
    language: str
    """Of reports when none is asked for: `vi` or `en`."""
    actors: tuple[Actor, ...]
    units: tuple[Agency, ...]
    hosts: tuple[Host, ...]
    jobs: tuple[Job, ...]
    state_folder: Path
    calendar_file: Path | None
    office: OfficeSettings
    """How the managing unit's papers are written."""
    rulebook: RulebookSettings
    backup: BackupSettings
    updates: UpdatesSettings
    report: ReportSettings
    signing_key: Path | None
    """File of the Ed25519 private key that signs."""
    people: tuple[Person, ...]
    """Who signs reports: `[[ledger.signer]]`."""
    declared: KindTable
    """`[checks.declared]`."""
    servers: ServerSettings
    """`[checks]`, `[checks.ssh]`, and how each `[[host]]` is reached."""
    vulnerabilities: VulnerabilitySettings
    """`[checks.vulnerabilities]`."""
    backup_sources: tuple[KindTable, ...]
    backup_media: tuple[KindTable, ...]
    adopted: tuple[KindTable, ...]
    """`[[backup.adopted]]`: whose backups are read as claims."""
    archive: ArchiveSettings
    collections: tuple[KindTable, ...]
    """`[[archive.collection]]`."""
    update_sources: tuple[KindTable, ...]
    ledger_store: KindTable | None
    """`[ledger.store]`: where the ledger's records are; None for the state folder."""
    ledger_blobs: KindTable | None
    """`[ledger.blobs]`: where its details are; None for with the records."""
    anchors: tuple[KindTable, ...]
    """`[[ledger.anchor]]`: where heads go."""
    witnessed: tuple[KindTable, ...]
    """`[[witness.ledger]]`: whose heads this machine keeps."""
    federated: tuple[KindTable, ...]
    """`[[federation.site]]`: whose bundles are collected into one overview."""
    schedule: ScheduleSettings
    """`[schedule]`."""
    cluster: ClusterSettings | None
    """`[cluster]`; None where each job is done by one process."""
    channels: tuple[KindTable, ...]
    """`[[notify.channel]]`: who is told of failures, unmet duties and each week."""
    monitors: tuple[KindTable, ...]
    """`[[notify.monitor]]`: who notices when nothing is done here any more."""
    digest: Digest
    """SHA-256 of the effective configuration; secrets enter it by reference only."""
    layers: Layers = field(repr=False, compare=False)
    """Where each value comes from."""
    shape: PortalopsFile = field(repr=False, compare=False)
    """The core's values as they were written or stand by default."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files it was read from, the main one first."""
        return tuple(file.path for file in self.layers.files)
