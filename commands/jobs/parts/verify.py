"""Reading copies back: a part reads one copy on a medium that any machine can reach; the job itself reads disks, discs and tapes of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backups.job import VerifyTarget, run_verify
from backups.media import build_media
from commands.cli.session import Session
from commands.jobs.fan import Fan
from commands.jobs.kinds.verify import verify_work
from commands.jobs.parts import Crowd, Parts
from commands.jobs.performed import problems_of_copies
from commands.jobs.sets import keys_of
from portalops.cluster.parts import PartRequest
from portalops.config import Settings
from portalops.errors import ConfigurationError, ExitCode
from portalops.ledger.runs import Work
from portalops.model.backups import Copy, CopyState
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import recorded_sets

Part = Copy


def work(session: Session, fan: Fan) -> Work[object]:
    """Have workers read the copies that they can reach, and read the others here."""

    def readers(targets: Sequence[VerifyTarget]) -> Iterator[Copy]:
        copies = {f"set-{each.copy.set_id}--{each.copy.medium}": each.copy for each in targets}

        def is_of(name: str, found: Copy) -> bool:
            return (found.set_id, found.medium) == (copies[name].set_id, copies[name].medium)

        def is_news(name: str, found: Copy) -> bool:
            """Say whether it is not what is recorded already: a job before this one in the same slot may have had it read."""
            return found != copies[name]

        parts = {name: {"set": each.set_id, "medium": each.medium} for name, each in copies.items()}
        for name, came in fan.run_parts(parts, Part, is_of=is_of, is_news=is_news):
            yield (
                came if isinstance(came, Copy) else copies[name].with_problem(msg("not checked: {cause}", cause=came))
            )

    return verify_work(session, readers)


def crowd(_settings: Settings, wish: PartRequest) -> Crowd:
    """Return the medium: one copy on it is read at a time, as one machine does; its limits of speed and time hold so too."""
    return Crowd(f"medium-{_names(wish)[1]}", 1)


def do(session: Session, wish: PartRequest) -> Work[Copy]:
    """Read one copy, every byte.

    Raises:
        ConfigurationError: no such copy is recorded, or this machine's configuration has no such medium.
    """
    set_id, medium = _names(wish)
    ledger, media = session.writable_ledger, build_media(session.settings.backup_media)
    if medium not in media:
        raise ConfigurationError(
            msg(
                "there is no backup medium {medium} in the configuration of this machine", medium=show_text(medium, 80)
            ),
            msg("Give all workers the same configuration."),
        )
    made = next((each for each in recorded_sets(ledger, passing_over=True) if each.set.id == set_id), None)
    copy = next((each for each in made.copies if each.medium == medium), None) if made else None
    if made is None or copy is None:
        raise ConfigurationError(
            msg("no copy of set {set} on {medium} is recorded", set=show_text(set_id, 80), medium=medium),
            msg("Run 'portalops backup list' to see which there are."),
        )
    keys, target = keys_of(ledger, session.warnings.append), VerifyTarget.of(made.set, copy)
    (found,) = run_verify([target], media, clock=session.clock, progress=session.progress, keys=keys).copies
    problems = problems_of_copies([found])
    if found.state is CopyState.DAMAGED:
        return Work(RunOutcome.COMPLETE, ExitCode.INTEGRITY, found, problems)
    if problems or found.state is not CopyState.VERIFIED:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, found, problems)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, found)


def _names(wish: PartRequest) -> tuple[str, str]:
    """Return the ids of the set and of the medium."""
    return str(wish.details.get("set", "")), str(wish.details.get("medium", ""))


PARTS = Parts(part=Part, work=work, do=do, crowd=crowd)
