"""How the managing unit writes official papers: what of it is configuration."""

from __future__ import annotations

from dataclasses import field

from portalops.model.organisation import Name
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class OfficeSettings:
    """`[office]` of the configuration."""

    parent: Name | None = None
    """The agency above the managing unit."""
    abbreviation: str = "ĐVQLC"
    """Of the managing unit, behind the blank number."""
    drafting_unit: str = ""
    """Abbreviation of the division that drafts, behind that in a letter's sign (Decree 30/2020/NĐ-CP, Annex I); empty for none."""
    place: Name = field(default_factory=lambda: Name("Khánh Hòa", "Khanh Hoa"))
    authority: str = ""
    """Such as `KT. GIÁM ĐỐC`; empty where the head signs."""
    title: str = "GIÁM ĐỐC"
    """The office of who signs."""
    signer: str = ""
    """Full name of who signs, under the space for the signature; empty where it stays blank."""
    contact: str = ""
    """Whom a unit asks: name, telephone, mail."""
