"""The shape of portalops.toml: its tables and keys, typed. Kinds of sources and media bring their own shapes."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, create_model

from portalops.config.values import (
    AccountName,
    Day,
    HostAddress,
    HostIdText,
    Id,
    PathText,
    PublicKey,
    RawTable,
    RefusedValue,
    Shape,
    SshPublicKey,
    Text,
)
from portalops.model.archive import HeldItems
from portalops.model.backups import DataClass
from portalops.model.message import msg
from portalops.model.organisation import OfficeRole
from portalops.model.retention import UNDO_DAYS
from portalops.model.rulebook import Numbers
from portalops.model.runs import LAST_DAY, SAFE_DAYS, WEEKDAYS, Every, JobKind
from portalops.model.zones import UnknownZone, zone_of
from portalops.rulebooks.limits.load import rule_sets

LANGUAGE = "^(?:vi|en)$"

LEFT_OUT: Any = Field(default_factory=dict, validate_default=True)
"""A table that may be left out: then it is read as an empty one. A default that is made of its class would build a validator for that
class alone, beside the one for the whole file: a third of the time of reading a configuration."""


def _zone(value: str) -> str:
    try:
        zone_of(value)
    except UnknownZone as error:
        raise RefusedValue(
            msg("is not a time zone"), msg("Use a name of the IANA time zone database, such as Asia/Ho_Chi_Minh.")
        ) from error
    return value


class NameTable(Shape):
    """A proper name in both languages."""

    vi: Text = Field(description="Vietnamese name.")
    en: Text | None = Field(default=None, description="English name; the Vietnamese one where there is none.")


class PortalTable(Shape):
    """The portal whose duties are kept."""

    id: Id = Field(description="Lower-case letters, digits and hyphens; the first part of a backup set's name.")
    name: NameTable
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="Asia/Ho_Chi_Minh", description="IANA time zone; every day begins and ends in it."
    )
    rulebook: Id = Field(default="kh-37-2010", description="Id of the regulation to judge by.")
    language: str = Field(default="vi", pattern=LANGUAGE, description="Language of reports when none is asked for.")


class StateTable(Shape):
    """Where portalops keeps its ledger, evidence and locks."""

    folder: PathText = Field(
        default="/var/lib/portalops", description="Folder of the ledger, its evidence and the locks."
    )


class CalendarTable(Shape):
    """Working days beyond the shipped calendar."""

    file: PathText | None = Field(
        default=None, description="A file of further days off and make-up days; its rows win."
    )


class ActorTable(Shape):
    """Who holds one of the regulation's offices, from a day to a day."""

    role: OfficeRole
    name: NameTable
    valid_from: Day | None = None
    valid_to: Day | None = None


class OfficeTable(Shape):
    """How the managing unit's own papers are written (Decree 30/2020/NĐ-CP)."""

    parent: NameTable | None = Field(default=None, description="The agency above the managing unit.")
    abbreviation: Text = Field(default="ĐVQLC", description="Of the managing unit, behind a paper's blank number.")
    drafting_unit: Text | None = Field(
        default=None,
        description="Abbreviation of the division that drafts, behind that in a letter's sign, such as ND.",
    )
    place: NameTable = (
        Field(  # constructed: to check a constant would build a validator whenever this module is imported
            default=NameTable.model_construct(vi="Khánh Hòa", en="Khanh Hoa"), description="Before a paper's date."
        )
    )
    authority: Text | None = Field(default=None, description="Such as KT. GIÁM ĐỐC, where a deputy signs.")
    title: Text = Field(default="GIÁM ĐỐC", description="The office of who signs.")
    signer: Text | None = Field(default=None, description="Full name of who signs, under the space for the signature.")
    contact: Text | None = Field(default=None, description="Whom a unit asks: name, telephone, mail.")


class UnitTable(Shape):
    """An agency that sends information in and keeps a sub-portal."""

    id: Id
    name: NameTable
    has_subportal: StrictBool = Field(default=True, description="Whether it has a sub-portal to keep up to date.")
    valid_from: Day | None = None
    valid_to: Day | None = None
    successors: tuple[Id, ...] = Field(default=(), description="Ids of the units that took over after valid_to.")
    aliases: tuple[Text, ...] = Field(
        default=(), description="Other names that registers, mail and sites use for it; mail addresses and domains too."
    )
    cases_from: Day | None = Field(
        default=None,
        description="Its weeks that ended before this day open no case, as while its sources are on trial.",
    )


class HostTable(Shape):
    """A server of the portal."""

    id: HostIdText
    address: HostAddress = Field(description="'local' for this machine, else a host name or address.")
    roles: tuple[Id, ...] = Field(
        default=(), description="Declared roles; only a role can make a check not applicable."
    )
    custodian: Text | None = Field(default=None, description="Who sees to it that its findings are fixed.")
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = Field(default=22, description="Of its SSH server.")
    user: AccountName | None = Field(
        default=None, description="The account on it; checks.ssh.user where there is none."
    )
    identity_file: PathText | None = Field(
        default=None, description="The private SSH key; checks.ssh.identity_file where there is none."
    )
    jump: HostIdText | None = Field(default=None, description="Id of the host that it is reached through.")


class RecipientTable(Shape):
    """A public key that opens the backup sets."""

    name: Id = Field(description="Whose key: operator, escrow, ...")
    file: PathText | None = Field(default=None, description="File with the age public key.")
    key: PublicKey | None = Field(default=None, description="The age public key itself.")


class KindRow(Shape):
    """A source or medium: its id, its kind, and the keys of that kind."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    id: Id
    kind: Id = Field(description="Which kind it is; its other keys depend on it.")


class DrillTable(Shape):
    """How copies are restored and tried out."""

    identity: PathText | None = Field(
        default=None, description="File with a private age key of a recipient; not on a host that is backed up."
    )
    folder: PathText = Field(
        default="/var/tmp",  # noqa: S108  # each drill makes a folder of its own in it, by mkdtemp
        description="Scratch folders are made in it, and removed.",
    )
    user: AccountName = Field(
        default="nobody", description="As root: the user that runs throw-away servers and untrusted dumps."
    )
    signers: PathText | None = Field(
        default=None,
        description="On a recovery host: the allowed_signers file of the portal's ledger. Sets come from the media then, and only ones that such a key signed.",
    )
    reports: PathText | None = Field(
        default=None, description="On a recovery host: each drill leaves a signed report in this folder."
    )
    trusted: tuple[SshPublicKey, ...] = Field(
        default=(), description="On the portal's host: keys of recovery hosts whose drill reports are taken up."
    )


Count = Annotated[StrictInt, Field(ge=0, le=10_000)]


class RetentionTable(Shape):
    """Which backup sets are kept; a set goes when no key keeps it. Without any of the `keep_` keys none goes."""

    keep_last: Count = Field(default=0, description="The newest sets, however old.")
    keep_weekly: Count = Field(default=0, description="The newest set of each of so many ISO weeks that have one.")
    keep_monthly: Count = Field(default=0, description="The same by months.")
    keep_yearly: Count = Field(default=0, description="The same by years.")
    keep_within_days: Annotated[StrictInt, Field(ge=0, le=36_500)] = Field(
        default=0, description="Every set that is not older."
    )
    undo_days: Annotated[StrictInt, Field(ge=1, le=365)] = Field(
        default=UNDO_DAYS, description="How long a set stays marked, so that it can be undone, before it is removed."
    )


MAX_SPAN_DAYS = 366


def _full_every(value: object) -> object:
    """Take the name of a span, or a number of days."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SPAN_DAYS:
        return value
    if isinstance(value, str) and value in {Every.WEEK, Every.MONTH}:
        return Every(value)
    raise RefusedValue(
        msg("is neither week, month nor a number of days up to {most}", most=MAX_SPAN_DAYS),
        msg('Write full_every = "week", "month" or a number such as 10, without quotes; 1 is a full set each day.'),
    )


FullEvery = Annotated[
    Annotated[StrictInt, Field(ge=1, le=MAX_SPAN_DAYS)] | Literal[Every.WEEK, Every.MONTH], BeforeValidator(_full_every)
]
"""What holds one full set: a span by its name, or so many days."""


class BackupTable(Shape):
    """What is backed up, where to, and who can open it."""

    recipients: tuple[RecipientTable, ...] = Field(
        default=(), description="At least two: the operator's key and the escrow key."
    )
    pack_mib: StrictInt = Field(default=64, ge=1, le=1024, description="Size of a pack before compression, in MiB.")
    full_every: FullEvery | None = Field(
        default=None,
        description="One full set in each week, month or so many days, and differentials between; without it every set is a "
        "full one.",
    )
    excused: dict[DataClass, Text] = Field(
        default_factory=dict, description="Class of data = why this portal has none of it."
    )
    drill: DrillTable = LEFT_OUT
    retention: RetentionTable = LEFT_OUT
    unread_months: Annotated[StrictInt, Field(ge=0, le=1200)] = Field(
        default=6, description="A medium that nobody has read for longer is named; 0 for never."
    )
    source: tuple[KindRow, ...] = ()
    medium: tuple[KindRow, ...] = ()
    adopted: tuple[KindRow, ...] = ()


class ArchiveTable(Shape):
    """Article 10.1: where the originals, copies and drafts of every content item lie, and the items themselves."""

    excused: dict[HeldItems, Text] = Field(
        default_factory=dict, description="originals, copies or drafts = why this portal has none of them."
    )
    max_shrink_percent: Annotated[StrictInt, Field(ge=0, le=100)] = Field(
        default=5,
        description="A collection that lost more of its entries than this since the last inventory is at fault.",
    )
    collection: tuple[KindRow, ...] = ()


def _known_rule_set(name: str) -> str:
    if name not in rule_sets():
        raise RefusedValue(msg("is not a rule set"), msg("The rule sets are: {known}.", known=", ".join(rule_sets())))
    return name


class UpdatesTable(Shape):
    """Where publications and submissions are seen."""

    judge_weeks: StrictInt = Field(default=13, ge=1, le=530, description="How many ISO weeks back each run judges.")
    poll_every: Every = Field(default=Every.DAY, description="How often each source is expected to be polled.")
    cases_from: Day | None = Field(
        default=None,
        description="Cases are opened for weeks that end on this day or later; without it, on the ledger's first day or later.",
    )
    rule_sets: tuple[Annotated[str, AfterValidator(_known_rule_set)], ...] = Field(
        default=(), description="Time limits of other regulations that period reports judge too."
    )
    source: tuple[KindRow, ...] = ()


class VulnerabilitiesTable(Shape):
    """The signed bundles of known vulnerabilities that the servers' packages are looked up in."""

    bundles: tuple[PathText, ...] = Field(
        default=(), description="Bundles, one for each release of a system; their signatures lie beside them."
    )
    keys: tuple[SshPublicKey, ...] = Field(default=(), description="Ed25519 public keys that may sign them.")
    max_age_days: Annotated[StrictInt, Field(ge=1, le=365)] = Field(
        default=7, description="A bundle that is older says nothing any more."
    )


class ChecksSshTable(Shape):
    """How servers are reached over SSH, for those whose own table says nothing else."""

    user: AccountName = Field(default="portalops", description="The account on them.")
    identity_file: PathText | None = Field(
        default=None, description="The private SSH key for it, without a passphrase."
    )


class ChecksTable(Shape):
    """What this portal declares about its servers."""

    at_once: Annotated[StrictInt, Field(ge=1, le=256)] = Field(
        default=32, description="How many servers are scanned at the same time."
    )
    host_timeout: Annotated[StrictInt, Field(ge=10, le=3600)] = Field(
        default=60,
        description="How many seconds a scan waits for each server's answer; slow weekly questions have their own time.",
    )
    ssh: ChecksSshTable = LEFT_OUT

    vulnerabilities: VulnerabilitiesTable = LEFT_OUT
    declared: RawTable = Field(default_factory=dict, description="What the checks compare the servers with.")


def _time_of_day(value: str) -> str:
    if value and not re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d", value, re.ASCII):
        raise RefusedValue(msg("is not a time of day"), msg("Write hours and minutes, from 00:00 to 23:59."))
    return value


def _times_of_day(value: object) -> object:
    """Take a time of day, or several in order."""
    times = [value] if isinstance(value, str) else value
    if not isinstance(times, list) or not all(isinstance(one, str) for one in times):
        raise RefusedValue(
            msg("is not a text, nor a list of texts"), msg('Write at = "07:00", or at = ["07:00", "23:30"].')
        )
    found = tuple(_time_of_day(one) for one in times if one or value != "")
    if list(found) != sorted({*found}) or (found and not all(found)):
        raise RefusedValue(
            msg("does not name each time once, in order"), msg('Write at = "07:00", or at = ["07:00", "23:30"].')
        )
    return found


def _day_in_slot(value: object) -> object:
    """Take a weekday, a day that every month has, as number or text, or the last one; a day that months lack would pass them over."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return value
    text = str(value)
    if text in {"", LAST_DAY, *WEEKDAYS, *map(str, range(1, SAFE_DAYS + 1))}:
        return text
    if text in {"29", "30", "31"}:
        raise RefusedValue(
            msg("is a day that some months do not have: in those months the job would never be due"),
            msg('Write 1 to {day}, or "{last}" for the last day of each month.', day=SAFE_DAYS, last=LAST_DAY),
        )
    raise RefusedValue(
        msg("is neither a weekday nor a day of the month"),
        msg(
            'Write {days} for a weekly job; 1 to {day} or "{last}" for a monthly one.',
            days=", ".join(WEEKDAYS),
            day=SAFE_DAYS,
            last=LAST_DAY,
        ),
    )


class JobTable(Shape):
    """A planned, repeated piece of work."""

    id: Id
    kind: JobKind
    every: Every
    at: Annotated[tuple[str, ...], BeforeValidator(_times_of_day)] = Field(
        default=(),
        description=(
            "From when on it is due on its day: HH:MM in the portal's time zone; not for hourly jobs. A daily job may have"
            " several, each a job of its own: the first has its id, a further one has the time behind it, as in"
            " daily-updates-2330."
        ),
        json_schema_extra={"type": ["string", "array"]},
    )
    on: Annotated[str, BeforeValidator(_day_in_slot)] = Field(
        default="",
        description=(
            "Its day: of a weekly job the weekday, such as sunday; of a monthly one a number from 1 to 28, or last."
        ),
        json_schema_extra={"type": ["string", "integer"]},
    )
    duty: str = Field(default="", description="The duty or clause that its runs are evidence for.")


class ReportTable(Shape):
    """Where reports go, and in which languages."""

    folder: PathText | None = Field(
        default=None, description="Folder of the reports; without one, reports/ in the state folder."
    )
    languages: tuple[Annotated[str, Field(pattern=LANGUAGE)], ...] = Field(default=("vi", "en"), min_length=1)
    mail: RawTable | None = Field(default=None, description="How reports are mailed, and to whom.")


class SigningTable(Shape):
    """The key that signs the ledger's heads and the backup sets."""

    key: PathText | None = Field(default=None, description="File with an Ed25519 private key in OpenSSH format.")


class SignerTable(Shape):
    """A person who signs reports with a key of their own."""

    id: Id
    name: NameTable
    office: Text = Field(description="The office that the person signs for.")
    key: SshPublicKey = Field(description="The person's Ed25519 public key, the line of the .pub file.")
    valid_from: Day | None = None
    valid_to: Day | None = None


class KindAlone(Shape):
    """A table that there is once: its kind, and the keys of that kind."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    kind: Id = Field(description="Which kind it is; its other keys depend on it.")


class LedgerTable(Shape):
    """Where the ledger is and its heads go, and who signs reports."""

    store: KindAlone | None = Field(
        default=None, description="Where its records are; without it, in a file of the state folder."
    )
    blobs: KindAlone | None = Field(default=None, description="Where its details are; without it, with the records.")
    anchor: tuple[KindRow, ...] = ()
    signer: tuple[SignerTable, ...] = ()


class WitnessTable(Shape):
    """The ledgers of others that this machine keeps heads of."""

    ledger: tuple[KindRow, ...] = ()


class FederationTable(Shape):
    """The sites whose ledgers are collected into one overview."""

    site: tuple[KindRow, ...] = ()


def _divides_the_hour(value: int) -> int:
    if value < 1 or 60 % value:
        hint = msg("Use one of {minutes}: then an hourly job is started in every hour.", minutes=_MINUTES)
        raise RefusedValue(msg("does not divide the hour, so the schedule would skip hours or never start a job"), hint)
    return value


_MINUTES = ", ".join(str(minutes) for minutes in range(1, 61) if not 60 % minutes)


def _account(value: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", value):
        raise RefusedValue(
            msg("is not the name of an account"), msg("Use lower-case letters, digits, _ and -, such as portalops.")
        )
    return value


class ScheduleTable(Shape):
    """What `portalops schedule install` makes of the jobs: how often it is looked what is due, and as whom."""

    user: Annotated[str, AfterValidator(_account)] = Field(
        default="portalops", description="The account that does the jobs; it must be there."
    )
    every_minutes: Annotated[StrictInt, AfterValidator(_divides_the_hour)] = Field(
        default=15, description="How often what is due is started: a number that divides 60."
    )
    random_delay_minutes: Annotated[StrictInt, Field(ge=0, le=30)] = Field(
        default=1, description="systemd: each start is put off by chance, by at most so much."
    )
    program: PathText | None = Field(
        default=None, description="Absolute path of portalops; the one that installs the schedule where there is none."
    )


def _given(value: str) -> str:
    if not value:
        raise RefusedValue(msg("is empty"))
    return value


class ClusterTable(Shape):
    """Workers on several machines do the parts of jobs; the ledger must be in a database (`[ledger.store]`)."""

    at_once: Annotated[StrictInt, Field(ge=0, le=100_000)] = Field(
        default=0, description="How many parts all workers together do at once; 0 for no limit."
    )
    slots: Annotated[StrictInt, Field(ge=2, le=1024)] = Field(
        default=64, description="How many parts one worker does at once."
    )
    wait_minutes: Annotated[StrictInt, Field(ge=1, le=1440)] = Field(
        default=120, description="How long a job waits for its parts; what has not come by then is unknown."
    )


class NotifyTable(Shape):
    """Whoever hears of what happens here, and whoever notices when nothing does any more."""

    summary_on: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        default="monday", description="The weekday on which the summary of a week is sent."
    )
    at: Annotated[str, AfterValidator(_time_of_day), AfterValidator(_given)] = Field(
        default="07:00",
        description="The local time from which on the day's letters are sent: the one about duties, and the summary.",
    )
    channel: tuple[KindRow, ...] = ()
    monitor: tuple[KindRow, ...] = ()


_LIMITS: dict[str, dict[str, Any]] = {
    "backup_max_age_days": {"ge": 1},
    "inventory_max_age_days": {"ge": 1, "le": 45},
    "read_back_max_age_days": {"ge": 1, "le": 3660},
    "restored_max_age_days": {"ge": 1, "le": 3660},
    "queried_max_age_days": {"ge": 1, "le": 3660},
    "session_gap_minutes": {"ge": 1},
    "check_max_age_hours": {"ge": 1},
    "check_every_days": {"ge": 1},
    "finding_critical_days": {"ge": 1, "le": 365},
    "finding_high_days": {"ge": 1, "le": 365},
    "finding_medium_days": {"ge": 1, "le": 365},
    "finding_low_days": {"ge": 1, "le": 365},
    "waiver_max_days": {"ge": 1, "le": 365},
    "case_remind_working_days": {"ge": 1, "le": 60},
    "case_explain_working_days": {"ge": 1, "le": 60},
    "case_decide_working_days": {"ge": 1, "le": 60},
    "case_close_working_days": {"ge": 1, "le": 60},
    "case_report_working_days": {"ge": 1, "le": 60},
    "report_cut_off_day": {"ge": 0, "le": 28},
    "report_due_working_days": {"ge": 1, "le": 60},
    "exemption_entered_working_days": {"ge": 1, "le": 60},
    "late_grace_hours": {"ge": 0, "le": 168},
    "incident_first_report_hours": {"ge": 1, "le": 120},
    "incident_full_report_hours": {"ge": 1, "le": 744},
    "repeat_weeks": {"ge": 1, "le": 26},
    "repeat_per_quarter": {"ge": 1, "le": 26},
    "day_cutoff": {"pattern": r"^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$"},
}
"""Ranges of the rulebook's numbers that are narrower than their types."""


def _number(name: str, hint: Any) -> Any:
    limits = _LIMITS.get(name, {})
    if hint is bool:
        return StrictBool
    if hint is int:
        return Annotated[StrictInt, Field(**{"ge": 0, **limits})]
    return Annotated[hint, Field(**limits)] if limits else hint


def _rulebook_table() -> type[Shape]:
    """Make the shape of `[rulebook]` from the rulebook's own numbers, so that it never lags behind them."""
    hints = get_type_hints(Numbers)
    definitions: dict[str, Any] = {
        number.name: (_number(number.name, hints[number.name]) | None, None) for number in fields(Numbers)
    }
    made: type[Shape] = create_model(
        "RulebookTable",
        __base__=Shape,
        __doc__="Numbers of the rulebook that this portal reads otherwise.",
        **definitions,
    )
    return made


RulebookTable = _rulebook_table()


class PortalopsFile(Shape):
    """The whole configuration of portalops."""

    include: tuple[PathText, ...] = Field(
        default=(), description="Further files, relative to this one; * and ** match."
    )
    portal: PortalTable
    state: StateTable = LEFT_OUT
    if TYPE_CHECKING:
        rulebook: Shape = LEFT_OUT
    else:
        rulebook: RulebookTable = LEFT_OUT
    calendar: CalendarTable = LEFT_OUT
    actor: tuple[ActorTable, ...] = ()
    office: OfficeTable = LEFT_OUT
    unit: tuple[UnitTable, ...] = ()
    host: tuple[HostTable, ...] = ()
    backup: BackupTable = LEFT_OUT
    archive: ArchiveTable = LEFT_OUT
    updates: UpdatesTable = LEFT_OUT
    checks: ChecksTable = LEFT_OUT
    job: tuple[JobTable, ...] = ()
    report: ReportTable = LEFT_OUT
    signing: SigningTable = LEFT_OUT
    ledger: LedgerTable = LEFT_OUT
    witness: WitnessTable = LEFT_OUT
    federation: FederationTable = LEFT_OUT
    notify: NotifyTable = LEFT_OUT
    schedule: ScheduleTable = LEFT_OUT
    cluster: ClusterTable | None = None
