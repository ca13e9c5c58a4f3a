"""The web server can write to declared upload folders only, and no program lies in those.

Most portals are defaced through a file that an attacker made the web server write, and then called. Article 12.4 asks for
security mechanisms.

The rule: in the usual web roots every file that belongs to the web server's account, or may be written by everyone, lies in a
declared upload folder, and none of those ends like a program (`.php`, `.jsp`, `.cgi`, ...). Without a web root the answer is
unknown.

Source: find(1). Debian 13:

    644 www-data /var/www/html/index.php
"""

from __future__ import annotations

from checks.servers.check import Outcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import web_files
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

PROGRAMS: tuple[str, ...] = (
    *(".php", ".php3", ".php4", ".php5", ".php7", ".php8", ".phtml", ".phar", ".jsp", ".jspx", ".asp", ".aspx"),
    *(".cgi", ".pl", ".py", ".sh", ".rb", ".htaccess"),
)


@check(
    id="web.webroot-writable",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(web_files.PROBE,),
    title=msg("the web server can write to declared upload folders only"),
    remedy=msg(
        "Give the files to another account than the web server's, take the right to write from others, and remove programs from upload folders."
    ),
)
def judge(facts: Facts) -> Outcome:
    seen = facts[web_files.PROBE]
    if not seen.roots:
        return unknown("no-webroot", msg("none of the usual web roots is there"))
    folders = tuple(f"{folder.rstrip('/')}/" for folder in facts.declared.uploads)
    outside = [name for name in seen.writable if not name.startswith(folders) or "/../" in name]
    if outside:
        return failed(
            "writable",
            nmsg(
                "{n} file outside upload folders may be written by the web server: {names}",
                "{n} files outside upload folders may be written by the web server: {names}",
                len(outside),
                names=listed(outside),
            ),
        )
    programs = [name for name in seen.writable if _is_program(name)]
    if programs:
        return failed("program-uploaded", msg("programs in upload folders: {names}", names=listed(programs)))
    if len(seen.writable) >= web_files.LISTED:
        return unknown("too-many", msg("more files may be written than are listed"))
    return passed(
        msg("the web server can write to no file outside {folders}", folders=listed(facts.declared.uploads) or "-")
    )


def _is_program(path: str) -> bool:
    """Say so also of `a.php.jpg`, which some servers run, and of `A.PHP`."""
    name = path.rpartition("/")[2].lower()
    return any(name.endswith(end) or f"{end}." in name for end in PROGRAMS)
