"""A strict reader of a report's page, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "img", "hr", "link", "input"})


@dataclass
class Element:
    """One element, with the elements inside it."""

    tag: str
    attributes: dict[str, str]
    content: list[Element | str] = field(default_factory=list)

    @property
    def children(self) -> list[Element]:
        """The elements directly inside."""
        return [part for part in self.content if isinstance(part, Element)]

    @property
    def text(self) -> str:
        """The text directly inside."""
        return "".join(part for part in self.content if isinstance(part, str))

    def all(self, tag: str) -> list[Element]:
        """Return every element of a tag below this one."""
        found = [child for child in self.children if child.tag == tag]
        return found + [deeper for child in self.children for deeper in child.all(tag)]

    def words(self) -> str:
        """Return all text inside."""
        return "".join(part if isinstance(part, str) else part.words() for part in self.content)


class Page(HTMLParser):
    """Reads a page; an end tag that does not close the innermost element is an error."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]
        self.feed(page)
        self.close()
        assert [element.tag for element in self._open] == [""], "elements left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].content.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].content.append(data)

    def every(self) -> list[Element]:
        """Return every element of the page."""

        def below(element: Element) -> list[Element]:
            return [element, *(deeper for child in element.children for deeper in below(child))]

        return below(self.root)
