"""Who writes official papers, and to whom: the offices as they were named on the paper's day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from portalops.model.office import OfficeSettings
from portalops.model.organisation import Actor, Name, OfficeRole, is_valid_on
from portalops.official.paper import Signing


@dataclass(frozen=True, slots=True)
class Office:
    """The managing unit on one day, and those that it writes to."""

    settings: OfficeSettings
    unit: Name
    department: Name
    committee: Name
    day: date

    @property
    def signing(self) -> Signing:
        return Signing(self.settings.authority, self.settings.title, self.settings.signer)

    @property
    def letter_sign(self) -> str:
        """Return the sign of a letter: the agency's abbreviation, then that of who drafts it (Decree 30/2020/NĐ-CP, Annex I)."""
        return "-".join(part for part in (self.settings.abbreviation, self.settings.drafting_unit) if part)

    @property
    def archive(self) -> str:
        """Return where a paper is filed: with the clerk (văn thư), and with who drafted it."""
        return ", ".join(part for part in ("VT", self.settings.drafting_unit) if part)


def office_on(day: date, actors: Sequence[Actor], settings: OfficeSettings) -> Office:
    """Return the offices of a day.

    An office that nobody is configured to hold on that day has the name that the regulation gives it.
    """
    names = {actor.role: actor.name for actor in actors if is_valid_on(actor, day)}
    return Office(
        settings,
        names.get(OfficeRole.UNIT, Name("Đơn vị quản lý Cổng thông tin điện tử tỉnh", "Portal managing unit")),
        names.get(
            OfficeRole.DEPARTMENT, Name("Sở Thông tin và Truyền thông", "Department of Information and Communications")
        ),
        names.get(
            OfficeRole.COMMITTEE, Name("Ủy ban nhân dân tỉnh Khánh Hòa", "People's Committee of Khanh Hoa province")
        ),
        day,
    )
