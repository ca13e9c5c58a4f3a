"""What is declared of a host as the world sees it. It is looked at from outside at these addresses and names, and no others."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from checks.servers.outside.web import url_of

Port = Annotated[int, Field(ge=1, le=65535)]
WebPath = Annotated[str, StringConstraints(pattern=r"^/[\x21-\x7e]{0,200}$")]
Phrase = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{2,100}$")]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


def _page(text: str) -> str:
    if len(text) > 500 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("is no address of a page in ASCII letters")
    if not url_of(text).is_tls:
        raise ValueError("must begin with https://")
    return text


PageUrl = Annotated[str, AfterValidator(_page)]


class OutsideDeclared(BaseModel):
    """The part of a host's declaration that concerns the view from outside."""

    public_addresses: tuple[IPv4Address | IPv6Address, ...] | None = None
    """Addresses under which the world reaches the host; the host's own address where it is one and none is declared."""
    public_ports: tuple[Port, ...] | None = None
    """TCP ports that are open to the world, and no others."""
    admin_ports: tuple[Port, ...] = (22, 3306, 5432)
    """TCP ports that only `admin_ranges` may reach."""
    ssh_port: Port = 22
    """The TCP port of the host's sshd."""
    pages: tuple[PageUrl, ...] | None = None
    """Key pages that the host serves, by https address; an empty list is "it serves none"."""
    editions: dict[LanguageCode, PageUrl] = Field(default_factory=dict)
    """The front page of each language that the portal is published in, such as `vi` and `en`."""
    editions_elsewhere: bool = False
    """The host serves pages, and the front pages of the portal's languages are declared for another host."""
    admin_paths: tuple[WebPath, ...] | None = None
    """Paths of pages for administrators, tried on every name of `pages`."""
    folders: tuple[WebPath, ...] | None = None
    """Folders of files, tried on every name of `pages`."""
    ca_file: str | None = None
    """A PEM file of the authorities to trust instead of the system's."""
    approved_pages: dict[PageUrl, str] = Field(default_factory=dict)
    """Files that hold an approved copy of a page, by the page's address."""
    close_percent: Annotated[int, Field(ge=1, le=100)] = 50
    """How much of an approved copy's different words the page must still have."""
    forbidden_words: tuple[Phrase, ...] = ()
    """Words and phrases that no page may have, beside those that no portal's page has."""
    allowed_words: tuple[Phrase, ...] = ()
    """Of the phrases that no portal's page has, those that this one's may have all the same."""

    availability_percent: Annotated[float, Field(ge=50, le=100)] = 99.0
    """How much of 30 days each page must have been reachable."""
    sample_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    """How often pages are sampled: one look speaks for so long."""

    def sites(self) -> tuple[str, ...]:
        """Return the first address of each name and port that the pages and editions are served at."""
        found: dict[tuple[str, int], str] = {}
        for text in (*(self.pages or ()), *self.editions.values()):
            url = url_of(text)
            found.setdefault((url.name, url.port), text)
        return tuple(found.values())
