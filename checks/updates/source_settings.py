"""The settings that every kind of update source has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator, model_validator

from checks.updates.dates import DateRules
from checks.updates.pairs import require_sound
from portalops.config.values import RefusedValue, Shape
from portalops.errors import UpdateSourceError
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text
from portalops.model.updates import ItemChannel, RefusedItem, UpdateSourceTraits
from portalops.model.variety import PairRule


class PairSettings(Shape):
    """One way in which the addresses of a pair are like one another."""

    vi: str
    """The shape of the Vietnamese item's address, such as `/tin-tuc/{slug}-{id}`."""
    en: str
    """The shape of the English one's, such as `/en/news/{name}-{id}`."""

    @model_validator(mode="after")
    def _tells_pairs(self) -> PairSettings:
        require_sound(PairRule(self.vi, self.en))
        return self


class CommonSettings(Shape):
    """`[[updates.source]]` without `id` and `kind`."""

    channel: ItemChannel
    """portal, subportal or submission: what its items count for."""
    unit: str | None = None
    """The one unit whose source this is."""
    units: Mapping[str, str] = {}
    """Name or code as the source writes it = unit id; names of configured units are known without it."""
    syndicated: bool = False
    """The province's portal pulls these items by itself (Article 9.2)."""
    copies_count: bool = False
    """Texts that another unit published first count here too, instead of being duplicates."""
    gives_out: bool = False
    """What it published first is for all units to spread: their copies of it count."""
    assume_tz: str | None = None
    """Zone of times that name none; the portal's if not given."""
    date_formats: tuple[str, ...] = ()
    """strptime formats, tried first; where there are any, day and month are never guessed."""
    gmt_means_local: bool = False
    """The server writes GMT but means local time."""
    pairs: tuple[PairSettings, ...] = ()
    """How addresses tell which English item belongs to which Vietnamese one; without it, by what differs in the language alone."""

    @field_validator("assume_tz")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise RefusedValue(
                    msg("is not a time zone"), msg("Give an IANA name such as Asia/Ho_Chi_Minh or UTC.")
                ) from error
        return name

    def date_rules(self, zone: ZoneInfo) -> DateRules:
        """Return how this source writes dates; `zone` is the portal's."""
        return DateRules(ZoneInfo(self.assume_tz) if self.assume_tz else zone, self.date_formats, self.gmt_means_local)

    def traits(
        self,
        source_id: str,
        *,
        complete: bool,
        trust_created: bool = False,
        attested: bool = False,
        typed_days: bool = False,
        names_authors: bool = True,
        outsiders: tuple[str, ...] | None = None,
        cross_check: bool = False,
        tells_translations: bool = False,
        host: str = "",
    ) -> UpdateSourceTraits:
        """Return what judging must know."""
        return UpdateSourceTraits(
            id=source_id,
            channel=self.channel,
            complete=complete,
            unit=UnitId(self.unit) if self.unit else None,
            unit_names=tuple((name, UnitId(unit)) for name, unit in self.units.items()),
            names_authors=names_authors and not self.unit,
            outsiders=None if self.unit else outsiders,
            trust_created=trust_created,
            attested=attested,
            typed_days=typed_days and not self.date_formats,
            syndicated=self.syndicated,
            copies_count=self.copies_count,
            gives_out=self.gives_out,
            pairs=tuple(PairRule(one.vi, one.en) for one in self.pairs),
            tells_translations=tells_translations,
            cross_check=cross_check,
            host=host,
        )


def source_error(source_id: str, cause: Message, hint: Message | None = None) -> UpdateSourceError:
    """Return the error of one source; the hint is how to look closer unless a better one is given."""
    return UpdateSourceError(
        msg("update source {source}: {cause}", source=source_id, cause=cause),
        hint or msg("Correct the source or its settings, then run 'portalops updates collect'."),
    )


def content_key(content: object) -> str:
    """Return by what a refused part of an answer is known again: what is in it, not where it stands."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def too_many(count: int, limit: int) -> tuple[RefusedItem, ...]:
    """Return what is refused of an answer with more items than are read; nothing if it has no more."""
    if count <= limit:
        return ()
    what = msg("item {first} and {more} more: too many", first=limit + 1, more=count - limit - 1)
    return (RefusedItem(what, "too-many", is_open=True),)


def bounded(value: object, limit: int = 120) -> str:
    """Return an untrusted value as text for a message: escaped, on one line, cut."""
    return show_text(str(value), limit)
