"""The web server can write to declared upload folders only, and no program lies in those.

Most portals are defaced through a file that an attacker made the web server write, and then called. A folder that it may
write to is as bad as a file: what is in it can be replaced. Article 12.4 asks for security mechanisms.

The rule: in the web roots every file and folder that belongs to an account of the web server or of its programs (PHP-FPM's
pools), or may be written by it or by everyone, is or lies in a declared upload folder, and the same is asked of the folders
above a root; and none of the files in them, by anybody, has the ending of a program (`.php`, `.jsp`, `.cgi`, `.htaccess`,
...). Roots are the usual ones and those that nginx and Apache are configured with, and what is mounted or linked to below.
The web server does not run as root. Without a web root the answer is unknown, and so it is where a root depends on a
variable, where another web server runs than nginx and Apache, or where an access list lets somebody write.

Source: find(1). Debian 13:

    f 644 www-data /var/www/html/index.php
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import web_files
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


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
def judge(facts: Facts) -> CheckOutcome:
    seen = facts[web_files.PROBE]
    if not seen.roots:
        return unknown("no-webroot", msg("none of the usual web roots exists"))
    if "root" in seen.accounts:
        return failed("runs-as-root", msg("the web server or a program of it runs as root"))
    uploads = tuple(folder.rstrip("/") for folder in facts.declared.uploads)
    outside = [name for name in seen.writable if not _lies_in(name, uploads)]
    if outside:
        return failed(
            "writable",
            nmsg(
                "the web server can write to {n} file or folder outside upload folders: {names}",
                "the web server can write to {n} files and folders outside upload folders: {names}",
                len(outside),
                names=listed(outside),
            ),
        )
    programs = sorted({name for name in (*seen.writable, *seen.programs) if _is_program(name)})
    if programs:
        return failed("program-uploaded", msg("programs in upload folders: {names}", names=listed(programs)))
    if max(len(seen.writable), len(seen.programs), len(seen.listed)) >= web_files.LISTED:
        return unknown("too-many", msg("more files can be written than are listed"))
    if seen.unclear:
        return unknown(
            "root-unclear",
            msg(
                "it is not clear which folders the web server serves, or under which account: {names}",
                names=listed(seen.unclear),
            ),
        )
    others = [name for name in seen.listed if not _lies_in(name, uploads)]
    if others:
        return unknown(
            "access-list",
            msg(
                "access lists (ACL) grant write access to accounts that were not examined: {names}",
                names=listed(others),
            ),
        )
    if not facts.declared.uploads:
        return passed(msg("the web server can write to no file or folder of {roots}", roots=listed(seen.roots)))
    folders = listed(facts.declared.uploads)
    return passed(msg("the web server can write to no file or folder outside {folders}", folders=folders))


def _lies_in(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders) and "/../" not in path


def _is_program(path: str) -> bool:
    """Say so also of `a.php.jpg`, which some servers run, and of `A.PHP`."""
    name = path.rpartition("/")[2].lower()
    return any(name.endswith(end) or f"{end}." in name for end in web_files.PROGRAMS)
