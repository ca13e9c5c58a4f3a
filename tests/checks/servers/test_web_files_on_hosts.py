"""What the web server may write to and which systems lie there, on a whole Debian host with configurations as nginx, Apache and PHP-FPM ship them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from checks.servers.probe import MissingFact, ProbeResult, fact_of
from checks.servers.probes import cms_versions, web_files
from checks.servers.probes.cms_versions import Cms, Systems
from checks.servers.probes.web_files import WebFiles
from tests.hosts import Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

Seen = Callable[[str], WebFiles | MissingFact]
WORDPRESS = "mkdir -p {0}/wp-includes; printf '$wp_version = \\0476.8.3\\047;\\n' >{0}/wp-includes/version.php; touch {0}/wp-settings.php;"


@pytest.fixture(scope="module")
def host(hosts: Hosts) -> Iterator[Host]:
    with hosts.started() as host:
        host.sh("useradd -r shop; useradd -r blog; groupadd web")
        yield host


@pytest.fixture
def seen(host: Host) -> Seen:
    def look(prepared: str) -> WebFiles | MissingFact:
        host.sh(
            "umount /var/www/html/m '/srv/my site/m' 2>/dev/null; rm -rf /var/www /srv/* /data /etc/nginx /etc/apache2 /etc/php; mkdir -p /var/www/html /data"
        )
        host.sh("touch /var/www/html/index.php; " + prepared)
        said = host.sh("sh -s", stdin=web_files.PROBE.command[2].encode())
        return fact_of(web_files.PROBE, ProbeResult(web_files.PROBE.id, 0, said.encode(), b"", 0))

    return look


def fact(found: WebFiles | MissingFact) -> WebFiles:
    assert isinstance(found, WebFiles), found
    return found


def test_plain_root_has_nothing_to_write(seen: Seen) -> None:
    found = fact(seen("true"))

    assert (found.roots, found.accounts) == (("/var/www",), ("www-data",))
    assert not (found.writable or found.programs or found.listed or found.unclear)


def test_folder_is_named_as_well_as_a_file_and_who_may_write_by_group(seen: Seen) -> None:
    found = fact(
        seen(
            "cd /var/www/html; install -d -o www-data up; install -d -g www-data -m 775 by-group;"
            " install -d -m 777 by-all; touch 'a b.txt'; chown www-data 'a b.txt'"
        )
    )

    assert sorted(found.writable) == [
        *("/var/www/html/a b.txt", "/var/www/html/by-all", "/var/www/html/by-group", "/var/www/html/up")
    ]


def test_program_of_another_account_in_a_writable_folder_is_named(seen: Seen) -> None:
    found = fact(
        seen("mkdir -p /var/www/html/up/2026; chown www-data /var/www/html/up; touch /var/www/html/up/2026/X.PHP.jpg")
    )

    assert found.writable == ("/var/www/html/up",)
    assert found.programs == ("/var/www/html/up/2026/X.PHP.jpg",)


def test_roots_are_those_that_the_servers_are_configured_with(seen: Seen) -> None:
    found = fact(
        seen(
            "mkdir -p /etc/nginx/sites-available /etc/nginx/sites-enabled /etc/apache2/sites-enabled /data/shop /data/blog"
            " /data/files /data/hosts/a '/data/two words' /data/off;"
            r""" printf 'user www-data;\nhttp { server { root /data/shop; location /f { alias\n  "/data/files/"; } } # root /data/off;\n }'"""
            " >/etc/nginx/nginx.conf; echo 'server { root /data/hosts/$host; }' >/etc/nginx/sites-available/on;"
            " echo 'server { root /data/off; }' >/etc/nginx/sites-available/off;"
            " ln -s ../sites-available/on /etc/nginx/sites-enabled/on;"
            r""" printf '<VirtualHost *:80>\n\tDocumentRoot "/data/two words"\n\tAlias /b "/data/blog"\n' >/etc/apache2/sites-enabled/b.conf"""
        )
    )

    assert set(found.roots) == {
        *("/var/www", "/data/shop", "/data/files", "/data/hosts", "/data/two words", "/data/blog")
    }
    assert not found.unclear


def test_accounts_are_those_of_pools_and_virtual_hosts(seen: Seen) -> None:
    found = fact(
        seen(
            "mkdir -p /etc/php/8.4/fpm/pool.d /etc/apache2/sites-enabled;"
            r" printf '; user = nobody\n[www]\nuser = shop\ngroup = web\n' >/etc/php/8.4/fpm/pool.d/shop.conf;"
            r" printf 'AssignUserID blog blog\n' >/etc/apache2/sites-enabled/b.conf;"
            " cd /var/www/html; touch s b; chown shop s; chown blog b; install -d -g web -m 775 w"
        )
    )

    assert set(found.accounts) == {"www-data", "shop", "blog"}
    assert sorted(found.writable) == ["/var/www/html/b", "/var/www/html/s", "/var/www/html/w"]


def test_links_and_mounts_below_a_root_are_gone_after(seen: Seen) -> None:
    found = fact(
        seen(
            "mkdir -p /data/up /var/www/html/m; touch /data/up/shell.php; chown -R www-data /data/up;"
            " ln -s /data/up /var/www/html/up; ln -s gone /var/www/html/dangling; ln -s . /var/www/html/itself;"
            " mount -t tmpfs -o mode=777 none /var/www/html/m"
        )
    )

    assert set(found.roots) == {"/var/www", "/data/up", "/var/www/html/m"}
    assert set(found.writable) == {"/data/up", "/data/up/shell.php", "/var/www/html/m"}


def test_root_behind_a_link_is_walked_and_a_folder_above_it_counts(seen: Seen) -> None:
    found = fact(
        seen("rm -r /var/www; mkdir -p /data/site/html; chown www-data /data/site; ln -s /data/site/html /var/www")
    )

    assert found.roots == ("/data/site/html",)
    assert found.writable == ("/data/site",)


def test_what_cannot_be_told_is_said(seen: Seen) -> None:
    found = fact(
        seen("mkdir -p /etc/apache2/sites-enabled; echo 'DocumentRoot ${ROOT}/x' >/etc/apache2/sites-enabled/a.conf;")
    )

    assert found.unclear == ("${ROOT}/x",)


def test_access_list_counts_by_what_the_web_server_may_do(seen: Seen) -> None:
    found = fact(
        seen(
            "cd /var/www/html; setfacl -m u:www-data:rw index.php; mkdir up; touch up/x.php; setfacl -m u:www-data:rwx up;"
            " touch of-another masked closed; setfacl -m u:shop:rw of-another; setfacl -m u:www-data:rw,m::r masked;"
            " mkdir -m 700 private; touch private/a; setfacl -m u:www-data:rw private/a"
        )
    )

    assert sorted(found.writable) == ["/var/www/html/index.php", "/var/www/html/up"]
    assert found.programs == ("/var/www/html/up/x.php",)
    assert found.listed == ()


def test_server_that_runs_as_root_is_told(seen: Seen) -> None:
    assert "root" in fact(seen("mkdir /etc/nginx; echo 'user root;' >/etc/nginx/nginx.conf")).accounts


def test_name_with_a_line_feed_forges_no_line(seen: Seen) -> None:
    found = fact(seen("printf x >'/var/www/html/a\nend'; chown www-data /var/www/html/a*"))

    assert found.writable == ("/var/www/html/a?end",)


def test_name_with_a_line_feed_hides_nothing_behind_another(seen: Seen) -> None:
    """What it leads to would be looked for in two others, which are there and are plain."""
    hidden = "'/data/plain\n/usr/share/doc'"
    prepared = f"mkdir -p /data/plain {hidden}; chown www-data {hidden}; ln -s {hidden} /data/site;"
    linked = "install -d -o www-data /data/w; ln -s /data/w '/var/www/html/a\nb'; mkdir '/var/www/html/a?b'"
    access = "cd /var/www/html; touch 'a\nb' 'a?b'; setfacl -m u:www-data:rw 'a\nb'; setfacl -m u:shop:rw 'a?b'"

    assert isinstance(seen(f"{prepared} mkdir /etc/nginx; echo 'root /data/site;' >/etc/nginx/nginx.conf"), MissingFact)
    assert isinstance(seen(f"{prepared} ln -s /data/site /var/www/html/l"), MissingFact)
    assert isinstance(seen(linked), MissingFact)
    assert fact(seen(access)).listed == ("/var/www/html/a?b",)


def test_mount_below_a_name_with_a_space_is_searched(seen: Seen) -> None:
    found = fact(seen("mkdir -p '/srv/my site/m' /etc/nginx; echo 'root \"/srv/my site\";' >/etc/nginx/nginx.conf; "
        "mount -t tmpfs -o mode=755 none '/srv/my site/m'; install -d -o www-data '/srv/my site/m/up'"))  # fmt: skip

    assert found.writable == ("/srv/my site/m/up",)


def test_files_with_access_lists_hide_none_behind_them(seen: Seen) -> None:
    more = (
        "mkdir a z; cd a; seq 2001 | xargs touch; setfacl -m u:shop:rw *; cd ../z; touch x; setfacl -m u:www-data:rw x"
    )

    assert isinstance(seen(f"cd /var/www/html; {more}"), MissingFact)


def test_account_that_kills_the_question_what_it_may_write_is_not_taken_for_one_that_may_not(seen: Seen) -> None:
    killed = "printf '#!/bin/sh\nkill -9 $$\n' >/usr/local/bin/setpriv; chmod 755 /usr/local/bin/setpriv;"

    found = fact(seen(f"{killed} touch /var/www/html/x; setfacl -m u:www-data:rw /var/www/html/x"))
    seen("rm /usr/local/bin/setpriv")

    assert found.listed == ("/var/www/html/x",)


@pytest.fixture
def systems(host: Host, seen: Seen) -> Callable[[str], Systems]:
    def look(prepared: str) -> Systems:
        seen(prepared)
        said = host.sh("sh -s", stdin=cms_versions.PROBE.command[2].encode())
        found = fact_of(cms_versions.PROBE, ProbeResult(cms_versions.PROBE.id, 0, said.encode(), b"", 0))
        assert isinstance(found, Systems), found
        return found

    return look


def test_system_is_found_however_deep_and_behind_links(systems: Callable[[str], Systems]) -> None:
    found = systems(
        WORDPRESS.format("/var/www/html/a/b/c/d/e")
        + WORDPRESS.format("/data/linked")
        + "ln -s /data/linked /var/www/html/l;"
        " ln -s . /var/www/html/loop"
    )

    assert found.found == (
        Cms("wordpress", "/data/linked", "6.8.3"),
        Cms("wordpress", "/var/www/html/a/b/c/d/e", "6.8.3"),
    )


def test_system_whose_version_was_moved_is_found_without_one(systems: Callable[[str], Systems]) -> None:
    moved = WORDPRESS.format("/var/www/html") + "rm /var/www/html/wp-includes/version.php"

    assert systems(moved).found == (Cms("wordpress", "/var/www/html", ""),)


def test_old_drupal_and_joomla_tell_their_versions(systems: Callable[[str], Systems]) -> None:
    found = systems(
        "mkdir -p /srv/d7/includes /srv/d7/misc /srv/d10/core/lib /srv/d10/core/misc /srv/j/administrator/manifests/files;"
        " echo \"define('VERSION', '7.103');\" >/srv/d7/includes/bootstrap.inc; touch /srv/d7/misc/drupal.js;"
        " echo \"  const VERSION = '10.4.2';\" >/srv/d10/core/lib/Drupal.php; touch /srv/d10/core/misc/drupal.js;"
        " echo '<version>5.2.3</version>' >/srv/j/administrator/manifests/files/joomla.xml"
    )

    assert {(one.folder, one.version) for one in found.found} == {
        *(("/srv/d7", "7.103"), ("/srv/d10", "10.4.2"), ("/srv/j", "5.2.3"))
    }


def test_link_that_the_web_server_planted_shows_nothing_of_roots(systems: Callable[[str], Systems], host: Host) -> None:
    """It is read with the rights of the account that planted it, be the link the file itself or a folder above it."""
    line = "$wp_version = '6.6.6';"
    found = systems(
        f"R=/root; printf '%s\\n' \"{line}\" >$R/secret; mkdir -p $R/wp-includes; cp $R/secret $R/wp-includes/version.php;"
        f"chmod 600 $R/secret $R/wp-includes/version.php;"
        "install -d -o www-data /var/www/html/a /var/www/html/a/wp-includes /var/www/html/b;"
        "runuser -u www-data -- ln -s $R/secret /var/www/html/a/wp-includes/version.php;"
        "runuser -u www-data -- ln -s $R/wp-includes /var/www/html/b/wp-includes"
    )

    host.sh("R=/root; rm -rf $R/secret $R/wp-includes")
    assert found.found and {one.version for one in found.found} == {""}


def test_of_a_file_that_says_a_version_nothing_else_is_printed(systems: Callable[[str], Systems]) -> None:
    said = (
        WORDPRESS.format("/var/www/html/a")
        + "printf '$wp_version = \\047canary\\047;\\nconst VERSION = canary\\n' >/var/www/html/a/wp-includes/version.php;"
    )

    assert systems(said).found == (Cms("wordpress", "/var/www/html/a", ""),)


def test_two_versions_in_a_file_are_none(systems: Callable[[str], Systems]) -> None:
    said = (
        WORDPRESS.format("/var/www/html/a")
        + "echo \"\\$wp_version = '6.9';\" >>/var/www/html/a/wp-includes/version.php"
    )

    assert systems(said).found == (Cms("wordpress", "/var/www/html/a", ""),)
