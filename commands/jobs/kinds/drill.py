"""The job `drill`: restores a copy into a scratch place."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backups.age import read_identities
from backups.drill import CHANCE, PERSON, Drawn, DrillPlace, DrillTarget, choose_target, draw_on_media, run_drill
from backups.media import build_media
from backups.merged import merge_base
from backups.presence import listed_sets
from backups.prune import made_at
from backups.restore_script import SCRIPT
from backups.retention import is_of
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.opened_sets import lacks_of
from commands.jobs.performed import problems_of_copies
from commands.jobs.sets import keys_of, require_medium, set_keys
from portalops.errors import BackupError, ConfigurationError, ExitCode, SetNotFound, worst
from portalops.ledger.runs import Work
from portalops.model.backups import CopyState, DrillResult, SetId
from portalops.model.causes import line_of_record
from portalops.model.message import Message, msg
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import GONE, find_set, recorded_sets
from portalops.system.programs import UnprivilegedRunner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backups.age import PrivateKey
    from portalops.config.settings import DrillSettings
    from portalops.ports import LedgerReader, Medium, Runner


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

    def completed(self, settings: DrillSettings) -> DrillRequest:
        """Return it with what the configuration says where the person said nothing."""
        return replace(self, identity=self.identity or settings.identity, signers=self.signers or settings.signers)

    @property
    def is_open(self) -> bool:
        """Whether chance decides."""
        return not self.set_name and not self.medium


def target_of(request: DrillRequest, portal: str, media: Mapping[str, Medium], ledger: LedgerReader) -> Drawn:
    """Choose the copy to drill: as somebody wishes, or by chance.

    Where an `allowed_signers` file is given, what lies on the media decides, since this host's ledger knows of no set;
    otherwise the ledger does.

    Raises:
        SetNotFound: the ledger knows no such copy.
        UsageError: several names begin so, or the file is no `allowed_signers` file.
    """
    if request.medium:
        require_medium(request.medium, media)
    if request.signers is not None:
        chosen = [medium for name, medium in media.items() if request.medium in {"", name}]
        there = (made for sets in listed_sets(portal, media.values()).values() for made in sets)
        newest = max(there, key=made_at, default=None)

        def is_wanted(name: SetId) -> bool:
            if not is_of(portal, name):
                return False
            return name == newest if request.set_name == "latest" else name.startswith(request.set_name)

        return draw_on_media(
            chosen, is_wanted, set_keys(request.signers), chosen_by=CHANCE if request.is_open else PERSON
        )
    if request.is_open:
        return Drawn(choose_target(recorded_sets(ledger, passing_over=True), tuple(media)))
    made = find_set(recorded_sets(ledger), request.set_name or "latest")
    for copy in made.copies:
        if copy.medium in media and request.medium in {"", copy.medium} and copy.state not in GONE:
            return Drawn(DrillTarget(made, copy, PERSON))
    raise SetNotFound(
        msg("there is no copy of set {set} on {medium}", set=made.set.id, medium=request.medium or "-"),
        msg("'portalops backup show {set}' shows its copies.", set=made.set.id),
    )


def place_of(settings: DrillSettings, runner: Runner) -> DrillPlace:
    """Return where a drill works; as root, its programs run as a user that owns nothing.

    Raises:
        ConfigurationError: there is no such user.
    """
    if os.geteuid() != 0:
        return DrillPlace(settings.folder, "", runner)
    try:
        return DrillPlace(settings.folder, settings.user, UnprivilegedRunner(settings.user))
    except KeyError as error:
        raise ConfigurationError(
            msg("backup.drill.user: there is no user {user} on this machine", user=settings.user),
            msg("Name a user that owns nothing, such as nobody."),
        ) from error


def identities_in(key: Path | None) -> tuple[PrivateKey, ...]:
    """Return the private keys for a drill.

    Raises:
        BackupError: none is at hand.
    """
    if key is None:
        raise BackupError(
            msg("this machine holds no private key that opens backup sets, so it can do no drill"),
            msg(
                "That is right for a host that is backed up. Bring the key for the time of the drill: --identity FILE."
            ),
        )
    return tuple(read_identities(key))


def drill_work(session: Session, *, request: DrillRequest | None = None) -> Work[object]:
    """Restore a copy into a scratch folder and try it out; one that a person named, or one by chance.

    Raises:
        BackupError: no private key is at hand, or there is too little space.
        WrongKey: the key does not open the set.
        MediumUnavailable: the medium cannot be read.
    """
    settings, ledger = session.settings, session.writable_ledger
    request = (request or DrillRequest()).completed(settings.backup.drill)
    identities = identities_in(request.identity)  # without a key nothing is looked for
    media = build_media(settings.backup_media)
    drawn = target_of(request, settings.portal.id, media, ledger)
    target = drawn.target
    if target is None:
        return work_of_drill(drawn, None)
    session.warnings.extend(lacks_of(target.made.set, target.made.failures))
    result = run_drill(
        target,
        media[target.copy.medium].open_set(target.made.set.id),
        find_base=lambda content: merge_base(content, media.values()),
        identities=identities,
        keys=set_keys(request.signers) if request.signers is not None else keys_of(ledger, session.warnings.append),
        place=place_of(settings.backup.drill, session.runner),
        clock=session.clock,
        progress=session.progress,
    )
    return work_of_drill(drawn, result)


def work_of_drill(drawn: Drawn, result: DrillResult | None) -> Work[object]:
    """Judge how a drill went, and the choice of its copy; without a result there was none to drill."""
    told: tuple[Message | str, ...] = (
        *(msg("not drilled: nothing shows that this set is the portal's: {set}", set=each) for each in drawn.refused),
        *(msg("not drilled, since nobody signed it: {set}", set=each) for each in drawn.unsigned),
        *drawn.unreached,
    )
    code = ExitCode.INTEGRITY if drawn.refused else ExitCode.PARTIAL if told else ExitCode.OK
    if result is None:
        nothing = msg("there is no verified copy on a configured medium")
        return Work(RunOutcome.FAILED, ExitCode.INTEGRITY if drawn.refused else ExitCode.FAILED, None, (nothing, *told))
    problems = problems_of_copies(result.copies)
    untried = tuple(
        msg(
            "{source}/{stream}: not tried: {why}",
            source=each.source,
            stream=each.stream,
            why=line_of_record(each.not_tried),
        )
        for each in result.trials
        if each.not_tried
    )
    if not result.trials and result.copies[0].state is CopyState.VERIFIED:
        base = next((each.set_id for each in result.copies[1:]), "-")
        problems = (msg("the set was not restored: no medium has its base {base} whole", base=base), *problems)
    script = result.script
    differing = (
        tuple(msg("{file}: {problem}", file=SCRIPT, problem=line_of_record(each)) for each in script.problems)
        if script
        else ()
    )
    not_run = (
        (msg("{file} was not run: {why}", file=SCRIPT, why=line_of_record(script.not_run)),)
        if script and script.not_run
        else ()
    )
    lines = (*problems, *untried, *differing, *not_run, *told)
    if any(copy.state is not CopyState.VERIFIED for copy in result.copies):
        return Work(RunOutcome.COMPLETE, ExitCode.INTEGRITY, result, lines)
    if untried or differing:
        return Work(RunOutcome.INCOMPLETE, worst([ExitCode.PARTIAL, code]), result, lines)
    return Work(RunOutcome.COMPLETE, code, result, lines)


JOB = JobWork(work=drill_work)
