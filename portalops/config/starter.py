"""The first portalops.toml: complete, commented, and backing up something real from the first run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from portalops.locale import render
from portalops.model.message import Message, msg


@dataclass(frozen=True, slots=True)
class StartMedium:
    """A disk medium of the first configuration."""

    id: str
    folder: str
    """As it is written into the file."""
    shares_filesystem: bool
    """It lies on the file system of what is backed up, and is meant to: never for a folder that was not there."""
    mount_point: str = ""
    """Where the disk must be mounted that it lies on; empty if it lies on this machine's own."""
    is_there: bool = True
    """The folder was there, and a disk was mounted where its name says that one is."""


@dataclass(frozen=True, slots=True)
class StartAnswers:
    """What `portalops init` asks for."""

    portal_id: str
    name_vi: str
    name_en: str
    language: str
    timezone: str
    media: tuple[StartMedium, ...]
    keys_folder: str
    state_folder: str


_AWAY = msg(
    "No disk was mounted there when this file was written. If it is mounted elsewhere, correct folder and mount_point."
)
_ABSENT = msg(
    "This folder did not exist when this file was written. Mount the disk and make the folder. On the machine's "
    "own disk nothing is written without allow_same_filesystem = true."
)


def starting_configuration(answers: StartAnswers) -> str:
    """Return the text of a first configuration; its comments are in the language that was chosen."""
    said = _Comments(answers.language)
    return "\n".join(
        (
            *_portal(answers, said),
            *_organisation(said),
            *_backups(answers, said),
            *_checks_and_updates(said),
            *_jobs(answers, said),
        )
    )


class _Comments:
    def __init__(self, language: str) -> None:
        self._language = language

    def __call__(self, message: Message) -> str:
        return f"# {render(message, self._language)}"


def _portal(answers: StartAnswers, said: _Comments) -> Sequence[str]:
    return (
        said(msg("Configuration of portalops. After a change run: portalops config check")),
        said(msg("Relative paths start in the folder of this file. Every key: portalops config schema")),
        "",
        "[portal]",
        f"id = {_quoted(answers.portal_id)}",
        f"name = {{ vi = {_quoted(answers.name_vi)}, en = {_quoted(answers.name_en)} }}",
        f"timezone = {_quoted(answers.timezone)}",
        'rulebook = "kh-37-2010"',
        f"language = {_quoted(answers.language)}",
        "",
        said(msg("The ledger, its evidence and the locks.")),
        "[state]",
        f"folder = {_quoted(answers.state_folder)}",
        "",
    )


def _organisation(said: _Comments) -> Sequence[str]:
    return (
        said(msg("Who holds which office, and from which day to which day; reports name the holder in their period.")),
        "# [[actor]]",
        '# role = "department"            # unit | department | committee',
        '# name = { vi = "Sở ...", en = "Department of ..." }',
        "# valid_from = 2025-03-01",
        "",
        said(msg("The agencies that send information in; long lists go into files of their own in conf.d/.")),
        "# [[unit]]",
        '# id = "so-tai-chinh"',
        '# name = { vi = "Sở Tài chính", en = "Department of Finance" }',
        "# has_subportal = true",
        "",
        said(msg("The servers; 'local' is this machine.")),
        "[[host]]",
        'id = "this-machine"',
        'address = "local"',
        "roles = []",
        "",
    )


def _backups(answers: StartAnswers, said: _Comments) -> Sequence[str]:
    lines = [
        said(msg("A set opens with any of these keys. No private key belongs on this machine.")),
        "[backup]",
        "recipients = [",
        *(
            f"  {{ name = {_quoted(name)}, file = {_quoted(f'{answers.keys_folder}/{name}.age.pub')} }},"
            for name in ("operator", "escrow")
        ),
        "]",
        "",
        said(
            msg(
                "A class of Article 10.2 of which this portal has no data, and why. A class without a source "
                "here is an unmet duty."
            )
        ),
        "[backup.excused]",
        '# channels = "..."',
        "",
        "[[backup.source]]",
        'id = "machine-configuration"',
        'kind = "files"',
        'class = "configuration"',
        'include = ["/etc"]',
        said(msg("Password hashes are not copied with the configuration.")),
        'exclude = ["/etc/shadow*", "/etc/gshadow*", "/etc/.pwd.lock"]',
        "",
        "[[backup.source]]",
        'id = "machine-accounts"',
        'kind = "accounts"',
        'class = "accounts"',
        "",
        "[[backup.source]]",
        'id = "ledger"',
        'kind = "ledger"',
        'class = "related"',
        "",
        said(msg("The content database. Fill in its name and remove the # signs:")),
        "# [[backup.source]]",
        '# id = "portal-database"',
        '# kind = "sqlite"',
        '# class = "content"',
        '# database = "/srv/portal/portal.sqlite"',
        "",
    ]
    for medium in answers.media:
        lines += [
            "[[backup.medium]]",
            f"id = {_quoted(medium.id)}",
            'kind = "disk"',
            f"folder = {_quoted(medium.folder)}",
        ]
        if medium.mount_point:
            lines += [
                said(msg("Nothing is written while the disk is not mounted.")),
                *([] if medium.is_there else [said(_AWAY)]),
                f"mount_point = {_quoted(medium.mount_point)}",
            ]
        elif not medium.is_there:
            lines.append(said(_ABSENT))
        if medium.shares_filesystem:
            lines += [
                said(
                    msg(
                        "One broken disk would lose both the data and this copy. Reports show this until the "
                        "copy is elsewhere."
                    )
                ),
                "allow_same_filesystem = true",
            ]
        lines.append("")
    return lines


def _checks_and_updates(said: _Comments) -> Sequence[str]:
    return (
        said(msg("The state that the hosts should have. What is not declared is judged unknown, never passed.")),
        "[checks.declared]",
        '# listeners = ["tcp/22", "tcp/443"]',
        '# admins = ["root"]',
        "",
        said(msg("The sources that show publications and submissions.")),
        "# [[updates.source]]",
        '# id = "portal-news"',
        '# kind = "feed"',
        '# channel = "portal"             # portal | subportal | submission',
        '# url = "https://..."',
        "#",
        "# [[job]]",
        '# id = "daily-updates"',
        '# kind = "updates"',
        '# every = "day"',
        '# at = ["07:00", "23:30"]',
        "",
    )


def _jobs(answers: StartAnswers, said: _Comments) -> Sequence[str]:
    jobs = (
        ("weekly-backup", "backup", "week"),
        ("daily-copy", "copy", "day"),
        ("weekly-verify", "verify", "week"),
        ("daily-check", "check", "day"),
        ("weekly-report", "report", "week"),
        ("daily-anchor", "anchor", "day"),
    )
    lines = [said(msg("What 'portalops run' does, and how often; a job is due once in each hour, day, week or month."))]
    for name, kind, every in jobs:
        lines += ["[[job]]", f"id = {_quoted(name)}", f"kind = {_quoted(kind)}", f"every = {_quoted(every)}", ""]
    return (
        *lines,
        "[report]",
        'folder = "reports"',
        'languages = ["vi", "en"]',
        "",
        said(msg("The key that signs the ledger's heads. It proves who wrote them; it decrypts nothing.")),
        "[signing]",
        f"key = {_quoted(f'{answers.keys_folder}/signing')}",
        "",
        *_anchors(said),
    )


def _anchors(said: _Comments) -> Sequence[str]:
    return (
        said(
            msg("Where the ledger's heads are sent. A kept head shows later whether any record before it was changed.")
        ),
        said(
            msg(
                "This folder is on the same machine and proves little. Name a share of another unit, or remove "
                "the # signs below."
            )
        ),
        "[[ledger.anchor]]",
        'id = "heads-folder"',
        'kind = "folder"',
        'folder = "heads"',
        "create = true",
        "",
        said(msg("Mailboxes that others operate.")),
        "# [[ledger.anchor]]",
        '# id = "mail-department"',
        '# kind = "mail"',
        '# host = "mail.example.vn"',
        '# sender = "portalops@example.vn"',
        '# recipients = ["..."]',
        "",
        said(msg("An object store under Object Lock.")),
        "# [[ledger.anchor]]",
        '# id = "s3-archive"',
        '# kind = "s3"',
        '# endpoint = "https://s3.example.vn"',
        '# bucket = "portal-heads"',
        "# retain_days = 1825",
        '# access_key = { file = "/etc/portalops/s3.id" }',
        '# secret_key = { file = "/etc/portalops/s3.secret" }',
        "",
    )


def _quoted(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are a subset of TOML's but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def medium_ids(count: int) -> tuple[str, ...]:
    """Return an id for each medium: `disk-a`, `disk-b`, ..., `disk-z`, `disk-27`, ..."""
    return tuple(f"disk-{chr(ord('a') + index)}" if index < 26 else f"disk-{index + 1}" for index in range(count))
