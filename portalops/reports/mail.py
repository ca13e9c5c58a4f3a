"""The mail that a report goes out by: the settings of `[report.mail]`, the subject and the text. Pure; nothing is sent here.

    [report.mail]
    host = "mail.khanhhoa.gov.vn"
    user = "portalops"
    password = { file = "/etc/portalops/mail.secret" }
    sender = "portalops@khanhhoa.gov.vn"
    recipients = ["van-thu@so-tttt.khanhhoa.gov.vn"]    # who gets what the report job writes
    subject = "[Cổng Khánh Hòa]"
    formats = ["pdf"]

The text says what is attached, with digests, so that whoever gets it can compare it with what the ledger records.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from portalops.config.values import RefusedValue, Text
from portalops.ledger.heads import code_of, text_of
from portalops.model.message import Message, msg
from portalops.model.organisation import Name, Portal
from portalops.model.period import Period
from portalops.model.record import Fault
from portalops.model.runs import ReportResult
from portalops.reports import formats
from portalops.reports.document import ByteSize
from portalops.reports.frame import days_words
from portalops.reports.reader import Reader
from portalops.reports.section_proof import does_not_hold
from portalops.system.mail import Address, MailSettings

MOST_RECIPIENTS = 20
_WIDTH = 96
"""Letters in a line of prose: what a mail program shows without breaking it."""


def _known_format(name: str) -> str:
    if name not in formats.names():
        raise RefusedValue(
            msg("is not a report format"), msg("The formats are: {known}.", known=", ".join(formats.names()))
        )
    return name


class Settings(MailSettings):
    """How reports are mailed, and to whom."""

    recipients: tuple[Address, ...] = Field(
        default=(),
        max_length=MOST_RECIPIENTS,
        description="Who gets what a job of the kind report writes; nobody unless given. 'report send' takes others by --to.",
    )
    subject: Annotated[Text, Field(max_length=60)] | None = Field(
        default=None, description="What every subject begins with, such as the portal's short name."
    )
    formats: tuple[Annotated[str, AfterValidator(_known_format)], ...] = Field(
        default=("html",), min_length=1, description="What is attached, in each language."
    )


@dataclass(frozen=True, slots=True)
class ReportMail:
    """What a mail is about."""

    portal: Portal
    title: Message
    """Of the report."""
    period: Period
    scope: Name | None
    """The unit or host that it is cut down to; None for the whole portal."""
    result: ReportResult
    """What is attached, and the head that it carries."""
    faults: Sequence[Fault] = ()
    """What of the ledger was found changed when it was made."""


def subject_of(letter: ReportMail, language: str, *, prefix: str = "") -> str:
    """Return the subject, in one language: two do not fit into what a mail program shows."""
    reader = _reader(letter, language)
    about = ", ".join(reader.text(each) for each in _list_subjects(letter))
    return f"{prefix} {about}" if prefix else about


def text_of_mail(letter: ReportMail, languages: Sequence[str]) -> str:
    """Return the text, in each language in turn."""
    return f"\n{'-' * 40}\n\n".join(
        "\n".join(_lines(letter, _reader(letter, language))) + "\n" for language in languages
    )


def message_id_of(result: ReportResult) -> str:
    """Return the part of a Message-ID left of `@`: the same for the same files of the same report, and no other."""
    head = text_of(result.head) if result.head else ""
    told = "\n".join((result.report, result.period, result.scope, head, *(file.sha256 for file in result.files)))
    return f"portalops.{hashlib.sha256(told.encode()).hexdigest()[:24]}"  # short: a line that is folded is read badly by some


def _reader(letter: ReportMail, language: str) -> Reader:
    return Reader(language, ZoneInfo(letter.portal.timezone))


def _list_subjects(letter: ReportMail) -> tuple[Message | Name, ...]:
    # The days come before a unit's name: what is too long for a subject is cut at its end.
    return (letter.title, days_words(letter.period), *((letter.scope,) if letter.scope else ()))


def _lines(letter: ReportMail, reader: Reader) -> Iterator[str]:
    yield reader.text(letter.portal.name)
    yield ", ".join(reader.text(each) for each in _list_subjects(letter))
    yield ""
    if letter.faults:
        yield from _prose(reader.text(does_not_hold(letter.faults)))
        yield ""
    yield reader.text(msg("Attached:"))
    for file in letter.result.files:
        yield f"- {reader.text(file.name)}, {reader.cell(ByteSize(file.size_bytes))}"
        yield f"  SHA-256 {file.sha256}"
    yield ""
    if letter.result.head is None:
        yield from _prose(reader.text(msg("No head is signed, so nothing proves that this report is unchanged.")))
    else:
        yield f"{reader.text(msg('Head code'))}: {code_of(letter.result.head)}"
        yield from _prose(
            reader.text(
                msg("Register the head code together with the report: every later ledger must still contain it.")
            )
        )
    yield ""
    yield from _prose(
        reader.text(
            msg(
                "To check that a file is the one that was sent, compare its digest, which 'sha256sum FILE' "
                "prints. The portal's ledger records the digests, and to whom this mail went and when."
            )
        )
    )
    yield ""
    yield from _prose(
        reader.text(
            msg(
                "A program sends this mail, also when there is nothing to report. If an expected mail does not "
                "come, please notify the portal's managing unit."
            )
        )
    )


def _prose(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
