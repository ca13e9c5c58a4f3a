"""What the chain of a service of PAM comes to, walked through as libpam does: who writes a new password, and who is let in.

For a new password it is walked once as a trial and once to write, with what each module would answer to it; of a module that
is not known, every answer is tried. How libpam goes on after each answer was compared with Linux-PAM 1.7.0 (pam.conf(5), `_pam_dispatch.c`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from checks.servers.probes.pam_stacks import PamRow, PamSettings

_MOST_NESTED = 32
_MOST_GUESSES = 6
_CONTROLS = {
    "required": "success=ok new_authtok_reqd=ok ignore=ignore default=bad",
    "requisite": "success=ok new_authtok_reqd=ok ignore=ignore default=die",
    "sufficient": "success=done new_authtok_reqd=done default=ignore",
    "optional": "success=ok new_authtok_reqd=ok default=ignore",
}
WRITERS = frozenset({"pam_unix", "pam_unix_passwd"})
JUDGES = frozenset({"pam_pwquality", "pam_cracklib", "pam_passwdqc"})
"""Modules that judge a password by words and lengths."""
_ANSWERS = {
    **dict.fromkeys(("pam_permit", "pam_localuser"), "success"),
    **dict.fromkeys(("pam_sss", "pam_ldap", "pam_krb5", "pam_winbind", "pam_systemd_home"), "user_unknown"),
    **dict.fromkeys(("pam_warn", "pam_echo"), "ignore"),
    "pam_deny": "authtok_err",
    "pam_rootok": "auth_err",
}
"""What modules answer that look at no password, for an account of the host itself."""
SECOND_FACTORS = frozenset({"pam_google_authenticator", "pam_oath", "pam_u2f", "pam_yubico"})
_ASKING = frozenset(
    {
        "pam_timestamp",
        "pam_fprintd",
        "pam_userdb",
        "pam_pwdfile",
        "pam_mysql",
        "pam_pgsql",
        "pam_radius_auth",
        "pam_tacplus",
    }
)
"""They ask for something that a visitor without anything does not have."""
_DIRECTORIES = frozenset({"pam_sss", "pam_ldap", "pam_krb5", "pam_winbind"})
_SILENT = frozenset({"pam_env", "pam_faildelay", "pam_cap", "pam_group", "pam_keyinit", "pam_nologin", "pam_mount"})
"""They ask for nothing, and their answer has no weight."""
_BY_FAILLOCK = {"preauth": "ignore", "authfail": "auth_err", "authsucc": "success"}
"""What pam_faillock answers while nobody is locked out."""


_OWN_FOLDER = re.compile(r"|(?:/usr)?/lib(?:64|32)?(?:/[\w-]+)?/security(?:/\$ISA)?")


class UnreadableStack(Exception):
    """A file that the chain names is not there, or cannot be read."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, slots=True)
class PamStep:
    """One module of a chain, or a chain of its own (`substack`)."""

    control: Mapping[str, str] = field(hash=False)
    """What follows each answer."""
    module: str
    """Without `.so`; with its folder where that is not PAM's own; empty for a chain."""
    arguments: tuple[str, ...] = ()
    chain: tuple[PamStep, ...] = ()
    is_there: bool = True


def has_service(pam: PamSettings, service: str) -> bool:
    """Say whether a service has a file of its own."""
    return any(f"{folder}/{service}" in {*pam.files, *pam.closed} for folder in ("/etc/pam.d", "/usr/lib/pam.d"))


def chain_of(pam: PamSettings, service: str, kind: str) -> tuple[PamStep, ...]:
    """Return the chain of a service; that of `other` where it has none.

    Raises:
        UnreadableStack: a file of it is not there, or cannot be read.
    """
    own = _steps(pam, service, kind, 0) if has_service(pam, service) else ()
    return own or _steps(pam, "other", kind, 0)


def written_by(
    chain: Sequence[PamStep], refuses: Callable[[PamStep], bool]
) -> tuple[frozenset[PamStep], frozenset[PamStep]]:
    """Return the steps that write a password that somebody types in whenever asked: surely, and perhaps.

    Args:
        chain: of the service.
        refuses: says whether a step refuses this password.
    """
    open_ = [step for step in each_step(chain) if step.is_there and _is_unknown(step)]
    answers = itertools.product(("success", "ignore", "authtok_err"), repeat=min(len(open_), _MOST_GUESSES))
    found = [
        _written(chain, refuses, {id(step): one for step, one in zip(open_, each, strict=False)}) for each in answers
    ]
    return frozenset.intersection(*found), frozenset.union(*found)


def lets_in(
    chain: Sequence[PamStep], *, password: bool, second: bool, deserted: Collection[str] = ()
) -> tuple[bool, bool]:
    """Say whether a chain of `auth` lets a visitor in: surely, and perhaps.

    An account of the host and, where modules of a directory are in the chain, one of a directory are tried; where pam_wheel
    is in it, a member of its group and an account that is none.

    Args:
        chain: of the service.
        password: whether the visitor knows it.
        second: whether they have what a module for a second factor asks for. Without it, a module with `nullok` passes over
            them, as over everybody who never set it up.
        deserted: groups without a member besides root.
    """
    open_ = [
        step
        for step in each_step(chain)
        if step.is_there and step.module != "pam_wheel" and _answer_to(step, password, second, is_local=True) is None
    ]
    guesses = list(itertools.product(("success", "ignore", "auth_err"), repeat=min(len(open_), _MOST_GUESSES)))
    has_directory = any(step.module in _DIRECTORIES for step in each_step(chain))
    has_wheel = any(step.module == "pam_wheel" for step in each_step(chain))
    found = []
    for is_local, is_member in itertools.product(
        (True, False) if has_directory else (True,), (True, False) if has_wheel else (True,)
    ):
        ways = []
        for each in guesses:
            guessed = {id(step): one for step, one in zip(open_, each, strict=False)}

            def answer(
                step: PamStep,
                guessed: Mapping[int, str] = guessed,
                is_local: bool = is_local,
                is_member: bool = is_member,
            ) -> str:
                if not step.is_there:
                    return "module_unknown"
                if step.module == "pam_wheel":
                    return _wheel_answer(step, is_member=is_member and _group_of(step) not in deserted)
                return _answer_to(step, password, second, is_local=is_local) or guessed.get(id(step), "success")

            ways.append(_Walk(answer).succeeds(chain))
        found.append((all(ways), any(ways)))
    if len(open_) > _MOST_GUESSES:  # not every answer was tried
        return False, True
    return any(surely for surely, _perhaps in found), any(perhaps for _surely, perhaps in found)


def _group_of(step: PamStep) -> str:
    return next((one.removeprefix("group=") for one in step.arguments if one.startswith("group=")), "wheel")


def _wheel_answer(step: PamStep, *, is_member: bool) -> str:
    """Return what pam_wheel(8) answers; with `deny` its group is the one that is kept out."""
    if is_member == ("deny" in step.arguments):
        return "perm_denied"
    return "success" if "trust" in step.arguments else "ignore"


def _answer_to(step: PamStep, password: bool, second: bool, *, is_local: bool) -> str | None:
    """Return what a module answers to a visitor; None where that is not known."""
    own = "success" if password else "auth_err"
    if step.module in {"pam_unix", "pam_unix_auth"}:
        return own if is_local else "user_unknown"
    if step.module in _DIRECTORIES:
        return "user_unknown" if is_local else own
    if step.module in SECOND_FACTORS:
        return "ignore" if "nullok" in step.arguments and not second else "success" if second else "auth_err"
    if step.module in _ASKING and not password and not second:
        return "auth_err"
    if step.module == "pam_shells":
        return "success"  # to every account with a usual shell
    if step.module == "pam_localuser":
        return "success" if is_local else "perm_denied"
    if step.module == "pam_faillock":
        return next((said for word, said in _BY_FAILLOCK.items() if word in step.arguments), None)
    return "ignore" if step.module in _SILENT else _ANSWERS.get(step.module)


def judges_in(chain: Sequence[PamStep]) -> tuple[PamStep, ...]:
    """Return the modules of a chain that judge passwords, reached or not."""
    return tuple(step for step in each_step(chain) if step.module in JUDGES and step.is_there)


def unknown_in(chain: Sequence[PamStep]) -> tuple[str, ...]:
    """Return the modules of a chain of which it is not known what they answer."""
    return tuple(sorted({step.module for step in each_step(chain) if _is_unknown(step)}))


def _steps(pam: PamSettings, name: str, kind: str, depth: int) -> tuple[PamStep, ...]:
    paths = [name] if name.startswith("/") else [f"/etc/pam.d/{name}", f"/usr/lib/pam.d/{name}"]
    path = next((one for one in paths if one in pam.files and one not in pam.closed), None)
    if path is None or depth > _MOST_NESTED or (paths[0] != path and paths[0] in pam.closed):
        raise UnreadableStack(paths[0])
    return tuple(step for row in pam.files[path] for step in _row_steps(pam, row, kind, depth))


def _row_steps(pam: PamSettings, row: PamRow, kind: str, depth: int) -> Iterator[PamStep]:
    if row.kind == "@include" or (row.kind == kind and row.control == "include"):
        yield from _steps(pam, row.module, kind, depth + 1)
    elif row.kind == kind and row.control == "substack":
        yield PamStep({}, "", chain=_steps(pam, row.module, kind, depth + 1))
    elif row.kind == kind:
        step = step_of(row.control, row.module, row.arguments)
        yield replace(step, is_there="/" in step.module or f"{step.module}.so" in pam.modules)


def step_of(control: str, module: str, arguments: tuple[str, ...] = ()) -> PamStep:
    """Return a module of a chain, by its line as pam.conf(5) has it."""
    text = _CONTROLS.get(control, control.strip("[]"))
    pairs = dict(pair.split("=", 1) for pair in re.sub(r"\s*=\s*", "=", text).split() if "=" in pair)
    folder, _, name = module.rpartition("/")
    # a module of another folder is another one, whatever it is called
    return PamStep(pairs, (name if _OWN_FOLDER.fullmatch(folder) else module).removesuffix(".so"), arguments)


def each_step(chain: Sequence[PamStep]) -> Iterator[PamStep]:
    """Yield the modules of a chain, and those of chains in it."""
    for step in chain:
        yield from each_step(step.chain) if step.chain or not step.module else (step,)


def _is_unknown(step: PamStep) -> bool:
    return step.module not in {*WRITERS, *JUDGES, "pam_pwhistory", *_ANSWERS}


def _written(
    chain: Sequence[PamStep], refuses: Callable[[PamStep], bool], guesses: Mapping[int, str]
) -> frozenset[PamStep]:
    def fixed(step: PamStep) -> str | None:
        if not step.is_there:
            return "module_unknown"
        return guesses.get(id(step), "success") if _is_unknown(step) else _ANSWERS.get(step.module)

    if not _Walk(lambda step: fixed(step) or "success").succeeds(chain):
        return frozenset()
    written: set[PamStep] = set()
    is_known = False  # some module has asked for the new password and taken it

    def update(step: PamStep) -> str:
        nonlocal is_known
        if (answer := fixed(step)) is not None:
            return answer
        if not is_known and {"use_authtok", "use_first_pass"} & {*step.arguments}:
            return "authtok_err"
        is_known = not refuses(step)
        if is_known and step.module in WRITERS:
            written.add(step)
        return "success" if is_known else "authtok_err"

    _Walk(update).succeeds(chain)
    return frozenset(written)


class _Walk:
    """One way through a chain."""

    def __init__(self, answer: Callable[[PamStep], str]) -> None:
        self._answer = answer
        self._is_good: bool | None = None
        """None while no module has had a say."""

    def succeeds(self, chain: Sequence[PamStep]) -> bool:
        self._walk(chain)
        return self._is_good is True

    def _walk(self, chain: Sequence[PamStep]) -> None:
        before, at = self._is_good, 0
        while at < len(chain):
            step = chain[at]
            at += 1
            if not step.module:
                self._walk(step.chain)
                continue
            answer = self._answer(step)
            action = step.control.get(answer, step.control.get("default", "bad"))
            if action in {"ok", "done"} or action.isdigit():
                # a jump after an answer of no weight has none either
                if self._is_good is not False and (not action.isdigit() or answer == "success"):
                    self._is_good = answer == "success"
                if action == "done" and self._is_good:
                    return
                at += int(action) if action.isdigit() else 0
            elif action == "reset":
                self._is_good = before
            elif action != "ignore":
                self._is_good = False
                if action == "die":
                    return
        if at > len(chain):
            self._is_good = False
