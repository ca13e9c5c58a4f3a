"""Asks other tools which backups there are, and keeps what they say, word by word, as what they claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backups.adopters import Adopter, NotAnswered
from backups.adopters._settings import MAX_BACKUPS, oldest_first
from portalops.errors import SecretUnavailable
from portalops.model.adopted import AdoptedPoll
from portalops.model.message import msg, verbatim
from portalops.model.text import show_text
from portalops.ports import EvidenceStore, Progress

MAX_NOTES = 20


def ask_tools(adopters: Sequence[Adopter], *, keeper: EvidenceStore, progress: Progress) -> Iterator[AdoptedPoll]:
    """Ask each tool and yield what it said; one that does not answer does not stop the others."""
    with progress.task(msg("Asking other tools"), total=len(adopters), unit="items") as task:
        for each in adopters:
            task.note(verbatim(each.traits.id))
            yield ask_tool(each, keeper)
            task.advance(1)


def ask_tool(adopter: Adopter, keeper: EvidenceStore) -> AdoptedPoll:
    """Ask one tool; its answer is kept before anybody tries to understand it."""
    traits = adopter.traits
    evidence = None
    try:
        answer = adopter.ask()
        evidence = keeper.keep(answer)
        claims = adopter.parse(answer)
    except (NotAnswered, SecretUnavailable) as error:
        return AdoptedPoll(
            traits.id, traits.kind, traits.data_class, evidence=evidence, problem=show_text(str(error), 500)
        )
    backups = oldest_first(claims.backups)
    return AdoptedPoll(
        traits.id,
        traits.kind,
        traits.data_class,
        backups[-MAX_BACKUPS:],
        max(0, len(backups) - MAX_BACKUPS),
        evidence,
        notes=claims.notes[:MAX_NOTES],
    )
