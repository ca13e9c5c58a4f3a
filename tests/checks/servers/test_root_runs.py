"""Which paths a line of shell has root run: those that it runs as root, and none that it only reads or writes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks.servers.probes._root_runs_awk import HANDED, PICK, ROOTLY
from checks.servers.probes._root_runs_sh import LINKS


@pytest.mark.parametrize(
    ("line", "run"),
    [
        ("/usr/local/bin/backup.sh >/var/log/backup.log 2>&1", ["/usr/local/bin/backup.sh"]),
        ("php -q /srv/portal/cron.php", ["/srv/portal/cron.php"]),
        ("/usr/bin/php /srv/portal/artisan schedule:run", ["/usr/bin/php", "/srv/portal/artisan"]),
        ("cd /opt/jobs && nice -n 5 ./night.sh", ["/opt/jobs/./night.sh"]),
        ("cd / && run-parts --report /etc/cron.hourly", ["/etc/cron.hourly"]),
        ("[ -x /usr/sbin/x ] && /usr/sbin/x --all", ["/usr/sbin/x"]),
        ("test -x /usr/sbin/anacron || { cd / && run-parts /etc/cron.daily; }", ["/etc/cron.daily"]),
        ("HOME=/root flock -n /run/lock/x timeout 60 /srv/job", ["/srv/job"]),
        (". /srv/settings.sh", ["/srv/settings.sh"]),
        ("bash -c '/srv/one && /srv/two'", ["/srv/one", "/srv/two"]),
        ("tar czf /srv/backup.tgz /etc", []),
        ("chown www-data /srv/portal/file", []),
        ("find /srv -name x -exec /srv/run.sh {} +", ["/srv/run.sh"]),
        ("su www-data -s /bin/sh -c /srv/own.sh", []),
        ("su - www-data -c '/srv/a.sh && /srv/b.sh'; /srv/c.sh", ["/srv/c.sh"]),
        ("su -c '/srv/a.sh --all' root", ["/srv/a.sh"]),
        ("sudo -u www-data /srv/own.sh", []),
        ("sudo /srv/own.sh", ["/srv/own.sh"]),
        ("# /srv/x", []),
        ("D=/srv/bin; $D/job", ["/srv/bin/job"]),
        ('D=/srv/bin\n"${D}/job"', ["/srv/bin/job"]),
        ("~games/bin/x", ["/usr/games/bin/x"]),
        ("cat /srv/commands | sh", ["/srv/commands"]),
        ("cd /srv/app && php artisan schedule:run", ["/srv/app/artisan"]),
        ("cd /srv/app && make all", ["?/srv/app"]),
        ("git -C /srv/app pull >/srv/log", ["?/srv/app"]),
        ("/usr/sbin/x -f /srv/x.conf --pid=/run/x.pid --log=/var/log/x.log", ["/usr/sbin/x", "?/srv/x.conf"]),
        ("rsync -a --delete /srv/www/ host:/srv; cd /srv && tar czf /srv/x.tgz .", []),
        ("rsync -a -e /srv/ssh /srv/www host:/srv", ["?/srv/ssh"]),
        ("find /srv -name x -exec /srv/run {} +", ["/srv/run"]),
        ("cd /srv/data && tar czf /srv/b.tgz *", ["?/srv/data"]),
        ("cd /srv/data && tar czf /srv/b.tgz ./*", []),
        ('sh -c "exec env -i PATH=/srv/bin:/usr/bin prog"', ["/srv/bin", "/usr/bin"]),
        ("alias ls='/srv/ls --color' ll='ls -l'", ["/srv/ls"]),
        ("export PATH=/srv/bin:$PATH", ["/srv/bin", "/srv/bin"]),
        ("su games -c 'PATH=/srv/bin x'; echo PATH=/srv/x", []),
        ('for f in /srv/d/*; do "$f"; done', ["/srv/d/*"]),
        ('D=/srv/d\nfor f in "$D"/*.sh\ndo\n  . "${f}"\ndone', ["/srv/d/*.sh"]),
        ("for f in $(ls /srv/d); do timeout 9 sh $f; done", ["/srv/d", "/srv/d/*"]),
        ('cd /srv/d\nfor f in *; do ./"$f"; done', ["/srv/d/*"]),
        ("find /srv/d -type f -exec {} \\;", ["/srv/d", "/srv/d/*"]),
        ("find /srv/d -type f | xargs -r -n1 bash", ["/srv/d", "/srv/d/*"]),
        ("find /srv/d -type f | xargs rm", []),
        ('find /srv/d |\n  while read -r f; do\n    "$f"\n  done', ["/srv/d", "/srv/d/*"]),
        ("while read -r c; do $c\ndone </srv/list", ["?/srv/list"]),
        ("while read -r c; do echo $c\ndone </srv/list", []),
        ("C=$(cat /srv/list)\n$C now", ["?/srv/list"]),
        ("==> /a <==\nwhile read c; do x\ndone </srv/list\n==> /b <==\n$c /srv/x", ["?/srv/x"]),
        ('N=$(wc -l /srv/x)\necho "there are some ($N) in /srv/x"', []),
        ("start-stop-daemon --start --pidfile /dev/null --startas /srv/x \\\n --chuid man -- -c /srv/y", []),
        ('D=${1:-/srv/d}\nfor f in "$D"/*; do "$f"; done', ["/srv/d/*"]),
        ('A=(/srv/d/*)\nfor f in "${A[@]}"; do "$f"; done', ["/srv/d/*"]),
        ('set -- /srv/d/*\nfor f; do "$f"; done', ["/srv/d/*"]),
        ('==> /opt/x/job <==\n. "$(dirname "$0")/lib.sh"', ["/opt/x/lib.sh"]),
        ('==> /opt/x/job <==\nD=$(cd "$(dirname "$0")" && pwd)\n"$D/next"', ["/opt/x/next"]),
        ("source <(cat /srv/x)", ["/srv/x"]),
        ("trap /srv/x EXIT", ["/srv/x"]),
        ("trap 'rm -f /srv/x' EXIT", []),
        ("export PROMPT_COMMAND=/srv/x", ["/srv/x"]),
        ("find /srv/d -exec sh -c 'gzip \"$1\"' _ {} \\;", []),
        ("find /srv/d -exec sh -c '\"$1\"' _ {} \\;", ["/srv/d", "/srv/d/*"]),
        ("find /srv/d | xargs -I{} sh -c 'gzip {}'", []),
        ("find /srv/d | xargs -I{} sh -c 'cd /; sh {}'", ["/srv/d", "/srv/d/*"]),
        ("find /srv/d | xargs -n1 sh -c", ["/srv/d", "/srv/d/*"]),
        ('eval "$(cat /srv/list)"', ["?/srv/list", "?/srv/list/*"]),
        ("D=/srv/d; run-parts $D", ["/srv/d", "/srv/d/*"]),
        ("for x in a b; do /srv/$x/run; done", ["?/srv/*/run"]),
        ('for f in /srv/www/*; do tar czf /srv/b.tgz "$f"; done', []),
    ],
)
def test_paths_that_root_runs_are_picked_out(line: str, run: list[str]) -> None:
    done = subprocess.run(["awk", PICK], input=f"{line}\n", capture_output=True, text=True, check=True)

    assert done.stdout.split() == run


@pytest.mark.parametrize(
    ("setting", "runs", "told"),
    [
        ("ExecSearchPath=/srv/e/bin", "thing", "unit /srv/e/bin"),
        ("StandardInput=file:/srv/e/in", "/bin/sh", "unit /srv/e/in"),
        ("StandardInput=file:/srv/e/in", "/usr/sbin/x", "named /srv/e/in"),
        ("WorkingDirectory=-/srv/e", "/bin/sh -c ./rel", "unit /srv/e"),
        ("WorkingDirectory=/srv/e", "/usr/bin/python3 -m mod", "unit /srv/e"),
        ("WorkingDirectory=/srv/e", "/usr/sbin/x --daemon", "named /srv/e"),
        ("RootVerity=/srv/e/x", "/usr/sbin/x", "unit /srv/e/x"),
        ("Unheard=a \\\n  /srv/e/*.x", "/usr/sbin/x", "unit /srv/e/"),
        ("Environment=X_CONF=/srv/e/x LOG_DIR=/srv/log", "/usr/sbin/x", "named /srv/e/x"),
        ("ReadWritePaths=/srv/e\nStandardOutput=append:/srv/e/log\nConditionPathExists=/srv/e", "/usr/sbin/x", ""),
        ("BindReadOnlyPaths=/srv/e/x:/usr/local/bin/x", "/usr/local/bin/x", "unit /srv/e/x"),
        ("BindPaths=/srv/e/x:/var/x", "/usr/sbin/x", ""),
        ("LoadCredential=x:/srv/e/x", "/bin/sh ${CREDENTIALS_DIRECTORY}/x", "unit /srv/e/x"),
        ("LoadCredential=x", "/usr/sbin/x", ""),
        ("User=e\nStandardInput=file:/srv/e/in", "/bin/sh", ""),
    ],
)
def test_what_a_unit_hands_to_a_program_of_root_is_told(tmp_path: Path, setting: str, runs: str, told: str) -> None:
    unit = tmp_path / "x.service"
    unit.write_text(f"[Service]\n{setting}\n")
    user = setting.partition("\n")[0] if "User=" in setting else "User="
    shown = f"Id=x.service\n{user}\nFragmentPath={unit}\nExecStart={{ path=/x ; argv[]={runs} ; ignore_errors=no ; }}\n"
    done = subprocess.run(["awk", HANDED], input=shown, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == told


def test_every_link_on_the_way_is_told(tmp_path: Path) -> None:
    for folder in ("home", "opt/r2"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "opt/r2/x").touch()
    (tmp_path / "home/cur").symlink_to("../opt/r2")
    (tmp_path / "x").symlink_to(tmp_path / "home/cur/x")
    (tmp_path / "round").symlink_to("round")

    def told(name: str) -> list[str]:
        text = f'{LINKS}\nlinks "$1"'
        done = subprocess.run(["sh", "-c", text, "sh", tmp_path / name], capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert told("x") == [str(tmp_path / "x"), str(tmp_path / "home/cur")]
    assert told("opt/r2/x") == []
    assert set(told("round")) == {str(tmp_path / "round")}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            "User=e\nAmbientCapabilities=cap_dac_override cap_setuid\nExecStart={ path=/a",
            "AmbientCapabilities=cap_dac_override cap_setuid\nExecStart={ path=/a",
        ),
        (
            "User=e\nAmbientCapabilities=cap_net_bind_service\nExecStart={ path=/a",
            "User=e\nAmbientCapabilities=cap_net_bind_service\nExecStart={ path=/a",
        ),
        (
            "ExecStart={ path=/a\nExecStartPre={ path=/b\nUser=e\nFragmentPath=/u/a",
            "ExecStartPre={ path=/b\nFragmentPath=/u/a",
        ),
        (
            "ExecStart={ path=/a\nExecStartPre={ path=/b\nUser=e\nFragmentPath=/u/ab",
            "ExecStart={ path=/a\nExecStartPre={ path=/b\nUser=e\nFragmentPath=/u/ab",
        ),
    ],
)
def test_units_that_are_as_good_as_root_s(given: str, told: str) -> None:
    done = subprocess.run(
        ["awk", "-v", "given= /u/a /u/c ", ROOTLY],
        input=f"{given}\n\nUser=x\n",
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{told}\n\nUser=x\n\n"
