"""The reader's language: sentences, days, moments, numbers and sizes in Vietnamese or English.

Code says what it means once, in English (`portalops.model.message`); this package turns it into
what a person reads. The Vietnamese sentences are written in `vi/*.po`, one fragment a part, and
compiled into one catalogue by `python -m portalops.locale.build`. The catalogue is read at the
first Vietnamese sentence, never for English.

It does not decide which language a report is in; that is configuration and an option.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import assert_never

from portalops.locale.catalogue import NOTHING, Catalogue
from portalops.model.message import ByteCount, Message, Value
from portalops.model.organisation import Name

LANGUAGES = ("vi", "en")
"""Codes of ISO 639-1; English is what the sentences are written in."""

DEFAULT_LANGUAGE = "en"

CATALOGUE = Path(__file__).parent / "vi" / "LC_MESSAGES" / "portalops.mo"
"""The compiled Vietnamese catalogue."""

NAMING_NUMBERS = frozenset({"code", "column", "exit_code", "gid", "line", "pid", "port", "seq", "uid", "year"})
"""Placeholders whose number names something instead of counting it: a year or a line is not grouped."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_VIETNAMESE_MARKS = str.maketrans(",.", ".,")

_process_language = DEFAULT_LANGUAGE


def language_from(environment: Mapping[str, str], option: str | None = None) -> str:
    """Choose the language of the terminal: the option, then PORTALOPS_LANG, LC_ALL, LC_MESSAGES, LANG, then English.

    The first of them that is set decides, as POSIX has it; a language that portalops does not speak gives English.
    """
    named = (option, *(environment.get(name) for name in ("PORTALOPS_LANG", "LC_ALL", "LC_MESSAGES", "LANG")))
    chosen = next((value for value in named if value), DEFAULT_LANGUAGE)
    code = chosen.replace("-", "_").partition("_")[0].partition(".")[0].lower()
    return code if code in LANGUAGES else DEFAULT_LANGUAGE


def set_language(language: str) -> None:
    """Set the language of help texts for this process; call it before commands are imported.

    Raises:
        ValueError: portalops does not speak the language.
    """
    global _process_language  # noqa: PLW0603 - help texts are fixed at import, so the choice belongs to the process
    if language not in LANGUAGES:
        raise ValueError(f"not one of {', '.join(LANGUAGES)}: {language}")
    _process_language = language


def process_language() -> str:
    """Return the language that `set_language` chose last."""
    return _process_language


def _(text: str) -> str:
    """Return a help text in the process's language; it takes literals only, which is how catalogues are extracted."""
    return _template(text, None, 1, _process_language)


def render(message: Message, language: str, *, zone: tzinfo | None = None) -> str:
    """Return a sentence in a language, with its values shown the local way.

    Args:
        message: the sentence; a sentence among its values is rendered in the same language.
        language: `vi` or `en`. A sentence without a translation is shown in English.
        zone: where moments are shown; None shows them in UTC and says so.
    """
    count = message.values.get("n")
    template = _template(message.text, message.plural, count if isinstance(count, int) else 1, language)
    if not message.values:
        return template
    shown = {name: _shown(name, value, language, zone) for name, value in message.values.items()}
    return template.format_map(shown)


def show_day(day: date, language: str) -> str:
    """Return `24/11/2026` in Vietnamese, `24 Nov 2026` in English."""
    if language == "vi":
        return f"{day.day:02d}/{day.month:02d}/{day.year}"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def show_moment(moment: datetime, language: str, zone: tzinfo | None = None) -> str:
    """Return `24/11/2026 08:30` in Vietnamese, `24 Nov 2026 08:30 +07` in English, to the minute.

    Vietnamese names the zone only when none was asked for, since then it is UTC and not the reader's own.
    """
    local = moment.astimezone(zone or UTC)
    clock = f"{show_day(local, language)} {local.hour:02d}:{local.minute:02d}"
    return clock if language == "vi" and zone is not None else f"{clock} {local.tzname()}"


def show_number(number: int, language: str) -> str:
    """Return `1.234` in Vietnamese, `1,234` in English."""
    grouped = f"{number:,}"
    return grouped.replace(",", ".") if language == "vi" else grouped


def show_quantity(value: float, decimals: int, unit: str, language: str) -> str:
    """Return `99,95 %` in Vietnamese, `99.95 %` in English."""
    shown = f"{value:,.{decimals}f}"
    shown = shown.translate(_VIETNAMESE_MARKS) if language == "vi" else shown
    return f"{shown}\u00a0{unit}" if unit else shown


def show_size(size_bytes: int, language: str) -> str:
    """Return a number of bytes in binary units, with one decimal from KiB on: `1,5 MiB` or `1.5 MiB`."""
    shown = str(ByteCount(size_bytes))
    return shown.translate(_VIETNAMESE_MARKS) if language == "vi" else shown


def _shown(name: str, value: Value, language: str, zone: tzinfo | None) -> str:
    match value:
        case Message():
            return render(value, language, zone=zone)
        case str():
            return unicodedata.normalize("NFC", value)
        case ByteCount():
            return show_size(value, language)
        case int():
            return str(value) if name in NAMING_NUMBERS else show_number(value, language)
        case datetime():
            return show_moment(value, language, zone)
        case date():
            return show_day(value, language)
        case Name():
            return unicodedata.normalize("NFC", value.translate(language))
        case _:
            assert_never(value)


def _template(text: str, plural: str | None, count: int, language: str) -> str:
    if language == "vi" and text and (found := _vietnamese(text)) is not None:
        return found
    return text if plural is None or count == 1 else plural


@lru_cache(maxsize=8192)
def _vietnamese(text: str) -> str | None:
    return _catalogue().find(text)


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    """Read the catalogue once; without one everything is shown in English rather than not at all."""
    try:
        return Catalogue(CATALOGUE.read_bytes())
    except (OSError, ValueError):
        return NOTHING
