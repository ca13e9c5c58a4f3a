"""The words for every closed set of answers, with their tone: the same in every table, page and document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from portalops.model.backups import Copy, CopyState, DataClass, SetKind
from portalops.model.cases import CaseDuty, CaseState
from portalops.model.changes import ChangeKind, ChangeState, StepOrder
from portalops.model.credentials import CredentialKind
from portalops.model.exemptions import ExemptionKind, ExemptionScope
from portalops.model.mailings import MailState
from portalops.model.media import DiscState
from portalops.model.message import Message, Value, msg
from portalops.model.organisation import OfficeRole
from portalops.model.reading import Freshness
from portalops.model.updates import FlagKind, ItemChannel, UnitWeek
from portalops.model.verdicts import CheckVerdict, DutyVerdict, RunOutcome, Severity
from portalops.registers.discs import OPTICAL
from portalops.registers.findings import FindingStanding, FindingState
from portalops.reports.document import Status, Tone

_DUTY: Mapping[DutyVerdict, Status] = {
    DutyVerdict.MET: Status(msg("met"), Tone.GOOD),
    DutyVerdict.UNMET: Status(msg("unmet"), Tone.BAD),
    DutyVerdict.EXEMPT: Status(msg("exempt"), Tone.NEUTRAL),
    DutyVerdict.NOT_ASSESSED: Status(msg("not assessed"), Tone.NEUTRAL),
    DutyVerdict.INSUFFICIENT_EVIDENCE: Status(msg("insufficient evidence"), Tone.UNSURE),
    DutyVerdict.PENDING: Status(msg("pending"), Tone.UNSURE, "…"),
}

_CHECK: Mapping[CheckVerdict, Status] = {
    CheckVerdict.PASS: Status(msg("pass"), Tone.GOOD),
    CheckVerdict.FAIL: Status(msg("fail"), Tone.BAD),
    CheckVerdict.UNKNOWN: Status(msg("unknown"), Tone.UNSURE),
    CheckVerdict.NOT_APPLICABLE: Status(msg("not applicable"), Tone.NEUTRAL),
    CheckVerdict.ERROR: Status(msg("error in the check"), Tone.BAD),
}

_COPY: Mapping[CopyState, Status] = {
    CopyState.FAILED: Status(msg("not written"), Tone.BAD),
    CopyState.SEALED: Status(msg("sealed, not read back"), Tone.UNSURE),
    CopyState.VERIFIED: Status(msg("verified"), Tone.GOOD),
    CopyState.DAMAGED: Status(msg("damaged"), Tone.BAD),
    CopyState.DISPOSED: Status(msg("removed by the retention rule"), Tone.NEUTRAL),
    CopyState.REPLACED: Status(msg("gone with its medium"), Tone.NEUTRAL),
}

_DISC: Mapping[DiscState, Status] = {
    DiscState.UNREAD: Status(msg("burnt, not read back"), Tone.UNSURE),
    DiscState.WHOLE: Status(msg("read back, whole"), Tone.GOOD),
    DiscState.BROKEN: Status(msg("broken"), Tone.BAD),
}

_MAIL: Mapping[MailState, Status] = {
    MailState.TAKEN: Status(msg("accepted by the mail server"), Tone.GOOD),
    MailState.REFUSED: Status(msg("not sent"), Tone.BAD),
    MailState.UNKNOWN: Status(msg("not known whether it was sent"), Tone.UNSURE),
}

_OUTCOME: Mapping[RunOutcome, Status] = {
    RunOutcome.COMPLETE: Status(msg("complete"), Tone.GOOD),
    RunOutcome.INCOMPLETE: Status(msg("incomplete"), Tone.UNSURE),
    RunOutcome.FAILED: Status(msg("failed"), Tone.BAD),
}

_SEVERITY: Mapping[Severity, Status] = {
    Severity.CRITICAL: Status(msg("critical"), Tone.BAD),
    Severity.HIGH: Status(msg("high"), Tone.BAD),
    Severity.MEDIUM: Status(msg("medium"), Tone.UNSURE),
    Severity.LOW: Status(msg("low"), Tone.NEUTRAL),
}

_FINDING: Mapping[FindingState, Status] = {
    FindingState.DUE: Status(msg("overdue"), Tone.BAD),
    FindingState.REOPENED: Status(msg("open again"), Tone.BAD),
    FindingState.OPEN: Status(msg("open"), Tone.BAD),
    FindingState.CLOSED: Status(msg("closed by a person"), Tone.NEUTRAL),
    FindingState.FIXED: Status(msg("fixed"), Tone.GOOD),
}

_CHANGE_STATE: Mapping[ChangeState, Message] = {
    ChangeState.REQUESTED: msg("requested"),
    ChangeState.NOTIFIED: msg("notified"),
    ChangeState.APPROVED: msg("approved"),
    ChangeState.BEGUN: msg("begun"),
    ChangeState.DONE: msg("done"),
    ChangeState.CLOSED: msg("closed"),
}

_CHANGE_KIND: Mapping[ChangeKind, Message] = {
    ChangeKind.NORMAL: msg("normal"),
    ChangeKind.STANDING: msg("standing approval"),
    ChangeKind.EMERGENCY: msg("emergency"),
}

_CREDENTIAL_KIND: Mapping[CredentialKind, Message] = {
    CredentialKind.PASSWORD: msg("password"),
    CredentialKind.KEY: msg("key"),
    CredentialKind.TOKEN: msg("token"),
    CredentialKind.CERTIFICATE: msg("certificate"),
}

_ORDER: Mapping[StepOrder, Status] = {
    StepOrder.AHEAD: Status(msg("not begun"), Tone.NEUTRAL),
    StepOrder.KEPT: Status(msg("approved first"), Tone.GOOD),
    StepOrder.REGULARISED: Status(msg("approved afterwards, as an emergency"), Tone.UNSURE),
    StepOrder.UNPROVEN: Status(msg("the decision is not kept"), Tone.UNSURE),
    StepOrder.EVIDENCE_FIRST: Status(msg("came before its approval"), Tone.BAD),
}

_FLAG: Mapping[FlagKind, Message] = {
    FlagKind.BACKDATED: msg("backdated"),
    FlagKind.TOUCHED: msg("old item published again"),
    FlagKind.WAITED: msg("draft that waited to be published"),
    FlagKind.DUPLICATE: msg("duplicate"),
    FlagKind.BULK: msg("posted in bulk"),
    FlagKind.STUB: msg("hardly any text"),
    FlagKind.FUTURE: msg("dated in the future"),
    FlagKind.NO_DATE: msg("no usable date"),
    FlagKind.REMOVED: msg("removed since"),
    FlagKind.STRUCK_OUT: msg("struck out of the register"),
    FlagKind.CORRECTED: msg("put right by its source"),
    FlagKind.EXCHANGED: msg("day and month may be exchanged"),
    FlagKind.MISDATED: msg("day, month or year may be a slip"),
    FlagKind.AUTOMATIC: msg("sent by a program"),
    FlagKind.REWRITTEN: msg("page rewritten at its address"),
    FlagKind.LEGACY_ENCODING: msg("legacy encoding"),
    FlagKind.NO_MARKS: msg("without Vietnamese marks"),
    FlagKind.NOT_NFC: msg("decomposed Unicode"),
    FlagKind.BASELINE: msg("already there at the first poll"),
    FlagKind.UNBOUNDED: msg("no earlier poll would have shown it"),
    FlagKind.UNKNOWN_UNIT: msg("unknown unit"),
    FlagKind.UNSHOWN: msg("seen by an officer alone"),
}

_DATA_CLASS: Mapping[DataClass, Message] = {
    DataClass.CONFIGURATION: msg("system configuration"),
    DataClass.ACCOUNTS: msg("user accounts"),
    DataClass.CHANNELS: msg("channel settings"),
    DataClass.CONTENT: msg("content database"),
    DataClass.RELATED: msg("other related data"),
    DataClass.DOCUMENTS: msg("originals, copies and drafts"),
}

_CHANNEL: Mapping[ItemChannel, Message] = {
    ItemChannel.PORTAL: msg("province's portal"),
    ItemChannel.SUBPORTAL: msg("sub-portal (K1)"),
    ItemChannel.SUBMISSION: msg("sent to the managing unit (K2)"),
}

_ROLE: Mapping[OfficeRole, Message] = {
    OfficeRole.UNIT: msg("Portal management unit"),
    OfficeRole.DEPARTMENT: msg("Department"),
    OfficeRole.COMMITTEE: msg("Provincial People's Committee"),
}

_MEDIUM_KIND: Mapping[str, Message] = {
    "disk": msg("disk"),
    OPTICAL: msg("images of discs"),
    "tape": msg("tape"),
    "tape-folder": msg("files of a tape, in a folder"),
    "s3": msg("S3 store"),
    "sftp": msg("host over SFTP"),
}
"""By the kind that a copy is recorded with."""

_SET_KIND: Mapping[SetKind, Message] = {SetKind.FULL: msg("full"), SetKind.DIFF: msg("differential")}


def duty_status(verdict: DutyVerdict) -> Status:
    """Return the word for what is said of a duty or a unit's period."""
    return _DUTY[verdict]


def week_status(verdict: DutyVerdict, *, is_over: bool) -> Status:
    """Return the word for a unit's week: one that is over, and pends, waits for a confirmation or the next poll."""
    status = duty_status(verdict)
    return replace(status, word=msg("awaiting confirmation")) if is_over and verdict is DutyVerdict.PENDING else status


def whole_week_status(week: UnitWeek, *, is_over: bool) -> Status:
    """Return the same; where one of K1 and K2 is met and the other decides, which of the two does."""
    status = week_status(week.verdict, is_over=is_over)
    own = {"K1": week.subportal_verdict, "K2": week.submissions_verdict}
    met = [name for name, verdict in own.items() if verdict is DutyVerdict.MET]
    deciding = [name for name, verdict in own.items() if name not in met and verdict is week.verdict]
    if week.summed_bounds is not None or not met or not deciding:
        return status
    word = msg("{verdict} in {which}; {other} is met", verdict=status.word, which=deciding[0], other=met[0])
    return replace(status, word=word)


def check_status(verdict: CheckVerdict) -> Status:
    """Return the word for a check's answer."""
    return _CHECK[verdict]


def copy_status(state: CopyState, fresh: Freshness | None = None) -> Status:
    """Return the word for where a copy of a set stands; with what its readings are worth, also that they have expired."""
    if state is CopyState.VERIFIED and fresh is not None and not fresh.is_fresh:
        return Status(msg("verification expired"), Tone.UNSURE)
    return _COPY[state]


def status_of_copy(copy: Copy, fresh: Freshness | None = None) -> Status:
    """Return the same for a copy as it was seen last: one that could not be reached then is not called verified alone."""
    if copy.state is CopyState.VERIFIED and copy.problem:
        return Status(msg("not reached"), Tone.UNSURE)
    return copy_status(copy.state, fresh)


def disc_status(state: DiscState) -> Status:
    """Return the word for what the newest look at a burnt disc found."""
    return _DISC[state]


def medium_kind_word(kind: str) -> Message | str:
    """Return what a copy on a medium of this kind is; a copy on optical discs is images of them until they are burnt."""
    return _MEDIUM_KIND.get(kind, kind)


def mail_status(state: MailState) -> Status:
    """Return what became of a mail, as the mail server told it."""
    return _MAIL[state]


def outcome_status(outcome: RunOutcome | None) -> Status:
    """Return the word for how a run ended; None is a run without an end in the ledger."""
    return _OUTCOME[outcome] if outcome else Status(msg("unfinished"), Tone.BAD)


def severity_status(severity: Severity) -> Status:
    """Return the word for how much a failed check matters."""
    return _SEVERITY[severity]


def finding_status(standing: FindingStanding) -> Status:
    """Return the words for where a finding stands; with a waiver, also until when."""
    if standing.waiver is None:
        return _FINDING[standing.state]
    return Status(msg("fails, waived until {day}", day=standing.waiver.waiver.valid_to), Tone.UNSURE)


def change_state_word(state: ChangeState) -> Message:
    """Return the word for how far a change has come."""
    return _CHANGE_STATE[state]


def change_kind_word(kind: ChangeKind) -> Message:
    """Return the word for what sort of approval a change needs."""
    return _CHANGE_KIND[kind]


def credential_kind_word(kind: CredentialKind) -> Message:
    """Return the word for what opens an account."""
    return _CREDENTIAL_KIND[kind]


def order_status(order: StepOrder) -> Status:
    """Return the words for whether a change was notified and approved before it was begun."""
    return _ORDER[order]


def flag_word(flag: FlagKind) -> Message:
    """Return the words for why an item counts elsewhere, later, or not at all."""
    return _FLAG[flag]


def data_class_word(data_class: DataClass) -> Message:
    """Return the words for a kind of data of Article 10."""
    return _DATA_CLASS[data_class]


def channel_word(channel: ItemChannel) -> Message:
    """Return the words for where an item was seen."""
    return _CHANNEL[channel]


def role_word(role: OfficeRole) -> Message:
    """Return the name of an office, whoever holds it."""
    return _ROLE[role]


def set_kind_word(kind: SetKind) -> Message:
    """Return the word for whether a set stands alone."""
    return _SET_KIND[kind]


def clause_words(clause: str) -> Message:
    """Return how a clause such as `10.2` is cited: an article, or a paragraph of one."""
    article, _, paragraph = clause.partition(".")
    if not paragraph:
        return msg("Article {number}", number=article)
    return msg("Article {article}.{paragraph}", article=article, paragraph=paragraph)


def clause_heading(clause: str) -> Message:
    """Return the same as a label, which Vietnamese begins with a capital letter."""
    article, _, paragraph = clause.partition(".")
    return msg("Article {article}.{number}", article=article, number=paragraph) if paragraph else clause_words(clause)


CASE_STATES: Mapping[CaseState, Message] = {
    CaseState.HEARING: msg("being heard, no case yet"),
    CaseState.DETECTED: msg("found"),
    CaseState.AWAITING: msg("awaiting an explanation"),
    CaseState.EXPLAINED: msg("explained, to be decided"),
    CaseState.ACCEPTED: msg("explanation accepted"),
    CaseState.REJECTED: msg("no explanation, or none that was accepted"),
    CaseState.REMEDIED: msg("remedied"),
    CaseState.CLOSED: msg("closed"),
}
"""Where a case of Article 11.3 stands."""

CASE_DUTIES: Mapping[CaseDuty, Message] = {
    CaseDuty.PORTAL: msg("updating the portal on each working day (Article 11.1)"),
    CaseDuty.SUBPORTAL: msg("updating the sub-portal (Article 11.2)"),
    CaseDuty.SUBMISSION: msg("sending information to the managing unit (Article 11.2)"),
}
"""What was not done, as papers and reports say it."""

EXEMPTION_KINDS: Mapping[ExemptionKind, Message] = {
    ExemptionKind.FAULT: msg("technical fault"),
    ExemptionKind.DISASTER: msg("natural disaster"),
    ExemptionKind.MIGRATION: msg("change of system"),
    ExemptionKind.NO_SUBPORTAL_YET: msg("sub-portal not yet in operation"),
    ExemptionKind.SECRECY: msg("state secrecy"),
    ExemptionKind.MAINTENANCE: msg("planned maintenance"),
}

EXEMPTION_SCOPES: Mapping[ExemptionScope, Message] = {
    ExemptionScope.PORTAL: msg("the portal's daily update"),
    ExemptionScope.SUBPORTAL: msg("the sub-portal (K1)"),
    ExemptionScope.SUBMISSION: msg("what is sent in (K2)"),
}


def joined(words: Sequence[Value]) -> Message:
    """Return at least one phrase, day or name, joined by commas, in any language."""
    return Message(
        ", ".join(f"{{p{at}}}" for at in range(len(words))), {f"p{at}": word for at, word in enumerate(words)}
    )
