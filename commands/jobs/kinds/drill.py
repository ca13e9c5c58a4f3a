"""The job `drill`: restores a copy into a scratch place."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backups.age import read_identities
from backups.drill import CHANCE, PERSON, Drawn, DrillPlace, DrillTarget, choose_target, draw_on_media, run_drill
from backups.retention import is_of
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.sets import base_of, find_set, keys_of, media_of, recorded_sets_of, set_keys, sets_on_media
from portalops.errors import BackupError, ConfigurationError, ExitCode, SetNotFound, UsageError, worst
from portalops.ledger.runs import Work
from portalops.model.backups import CopyState, DrillResult, SetId
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import GONE
from portalops.system.programs import UnprivilegedRunner

if TYPE_CHECKING:
    from backups.age import PrivateKey


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """What a person wants of a drill; nothing of it for the job that is due."""

    set_name: str = ""
    """A set's name, its beginning, or `latest`; empty for one by chance."""
    medium: str = ""
    """Only the copy on this medium."""
    identity: Path | None = None
    """File with a private key; the configuration's if not given."""
    signers: Path | None = None
    """An `allowed_signers` file: the set comes from the media, and only one that such a key signed."""

    @property
    def is_open(self) -> bool:
        """Whether chance decides."""
        return not self.set_name and not self.medium


def target_of(session: Session, wish: DrillRequest) -> Drawn:
    """Choose the copy to drill: as somebody wishes, or by chance.

    Where an `allowed_signers` file is given or configured, what lies on the media decides, since this host's ledger knows of
    no set; otherwise the ledger does.

    Raises:
        SetNotFound: the ledger knows no such copy.
        UsageError: several names begin so, or the file is no `allowed_signers` file.
    """
    media = media_of(session)
    if wish.medium and wish.medium not in media:
        raise UsageError(
            msg("there is no backup medium {medium}", medium=show_text(wish.medium, 80)),
            msg("The media are: {media}.", media=", ".join(media) or "-"),
        )
    signers = wish.signers or session.settings.backup.drill.signers
    if signers is not None:
        chosen = [medium for name, medium in media.items() if wish.medium in {"", name}]
        there = (made for sets in sets_on_media(session).values() for made in sets)
        newest = max(there, key=lambda name: name.rsplit("-", 3)[1], default=None)  # its name has the time of making
        return draw_on_media(
            chosen,
            lambda name: _is_wished(session, name, wish.set_name, newest),
            set_keys(signers),
            chosen_by=CHANCE if wish.is_open else PERSON,
        )
    if wish.is_open:
        return Drawn(choose_target(recorded_sets_of(session, passing_over=True), tuple(media)))
    made = find_set(recorded_sets_of(session), wish.set_name or "latest")
    for copy in made.copies:
        if copy.medium in media and wish.medium in {"", copy.medium} and copy.state not in GONE:
            return Drawn(DrillTarget(made, copy, PERSON))
    raise SetNotFound(
        msg("there is no copy of set {set} on {medium}", set=made.set.id, medium=wish.medium or "-"),
        msg("'portalops backup show {set}' shows its copies.", set=made.set.id),
    )


def _is_wished(session: Session, name: SetId, wished: str, newest: SetId | None) -> bool:
    if not is_of(session.settings.portal.id, name):
        return False
    return name == newest if wished == "latest" else name.startswith(wished)


def drill_copy(session: Session, target: DrillTarget, wish: DrillRequest) -> DrillResult:
    """Do the drill job: restore a copy into a scratch folder, and try it out.

    Args:
        session: what to work with.
        target: the copy.
        wish: which private key, and whose signatures.

    Raises:
        BackupError: no private key is at hand, or there is too little space.
        WrongKey: the key does not open the set.
        MediumUnavailable: the medium cannot be read.
    """
    settings = session.settings.backup.drill
    identities = identities_of(session, wish)
    signers = wish.signers or settings.signers
    media = media_of(session)
    is_root = os.geteuid() == 0
    try:
        runner = UnprivilegedRunner(settings.user) if is_root else session.runner
    except KeyError as error:
        raise ConfigurationError(
            msg("backup.drill.user: there is no user {user} on this machine", user=settings.user),
            msg("Name a user that owns nothing, such as nobody."),
        ) from error
    place = DrillPlace(settings.folder, settings.user if is_root else "", runner)
    return run_drill(
        target,
        media[target.copy.medium].open_set(target.made.set.id),
        find_base=lambda content: base_of(media.values(), content)[0],
        identities=identities,
        keys=set_keys(signers) if signers is not None else keys_of(session),
        place=place,
        clock=session.clock,
        progress=session.progress,
    )


def identities_of(session: Session, wish: DrillRequest) -> tuple[PrivateKey, ...]:
    """Return the private keys for a drill.

    Raises:
        BackupError: none is at hand.
    """
    key = wish.identity or session.settings.backup.drill.identity
    if key is None:
        raise BackupError(
            msg("this machine holds no private key that opens backup sets, so it can do no drill"),
            msg(
                "That is right for a host that is backed up. Bring the key for the time of the drill: --identity FILE."
            ),
        )
    return tuple(read_identities(key))


def drill_work(session: Session, *, wish: DrillRequest | None = None) -> Work[object]:
    """Restore a copy and try it out; one that a person named, or one by chance."""
    wish = wish or DrillRequest()
    identities_of(session, wish)  # without a key nothing is looked for
    drawn = target_of(session, wish)
    told = (
        *(f"not drilled, since it cannot be told to be the portal's: {each}" for each in drawn.refused),
        *(f"not drilled, since nobody signed it: {each}" for each in drawn.unsigned),
        *drawn.unreached,
    )
    code = ExitCode.INTEGRITY if drawn.refused else ExitCode.PARTIAL if told else ExitCode.OK
    if drawn.target is None:
        nothing = "there is no verified copy on a configured medium"
        return Work(RunOutcome.FAILED, ExitCode.INTEGRITY if drawn.refused else ExitCode.FAILED, None, (nothing, *told))
    done = _drilled(drill_copy(session, drawn.target, wish))
    return replace(done, exit_code=worst([done.exit_code, code]), problems=(*done.problems, *told))


def _drilled(result: DrillResult) -> Work[object]:
    problems = tuple(f"{copy.medium}: {copy.set_id}: {copy.problem}" for copy in result.copies if copy.problem)
    untried = tuple(
        f"{each.source}/{each.stream}: not tried: {each.not_tried}" for each in result.trials if each.not_tried
    )
    if any(copy.state is not CopyState.VERIFIED for copy in result.copies):
        return Work(RunOutcome.COMPLETE, ExitCode.INTEGRITY, result, (*problems, *untried))
    if untried:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, untried)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result, problems)


JOB = JobWork(work=drill_work)
