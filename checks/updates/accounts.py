"""Who can work in a portal: its own table of accounts, by the connection and the product of a source of updates. It only reads.

Asked for are names, roles, whether the account is blocked, and when it was last used: no password, no hash, no address.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from checks.updates.dates import read_moment
from checks.updates.products._product import ProductSettings
from checks.updates.source_settings import source_error
from checks.updates.sources.sql import shape_of
from portalops.config.tables import KindTable
from portalops.model.message import msg
from portalops.model.portal_accounts import PortalAccount, PortalAccounts
from portalops.model.text import show_text
from portalops.system.sql import DatabaseUnavailable, reading

MAX_ROWS = 20_000
"""Of accounts and their roles. No portal has so many who write; where one does, its readers have roles of their own."""


def can_tell(table: KindTable) -> bool:
    """Say whether a source's portal can be asked: it is a database of a known product."""
    return table.kind == "sql" and "product" in table.values


def portal_accounts(source_id: str, table: KindTable, *, zone: ZoneInfo) -> PortalAccounts:
    """Ask a portal who can work in it.

    Raises:
        SourceError: it cannot be reached, the account may not read those tables, or there are more rows than `MAX_ROWS`.
        ConfigurationError: the source's settings do not fit.
    """
    settings = table.parse(shape_of(table.values))
    assert isinstance(settings, ProductSettings), "only asked of what can tell"
    query = settings.accounts()
    try:
        with reading(settings.url, settings.password, table.folder) as connection:
            result = connection.exec_driver_sql(query.statement)
            rows = result.fetchmany(MAX_ROWS + 1)
            result.close()
    except DatabaseUnavailable as error:
        hint = msg("Its account must be allowed to read the portal's tables of accounts and roles, and nothing else.")
        raise source_error(source_id, error.cause, error.hint or hint) from error
    if len(rows) > MAX_ROWS:
        raise source_error(source_id, msg("more than {n} accounts have a role", n=MAX_ROWS))
    rules = settings.date_rules(zone)
    found: dict[str, PortalAccount] = {}
    for login, is_open, role, last_at in rows:
        name = show_text(str(login), 100)
        before = found.get(name)
        roles = {*(before.roles if before else ()), *(show_text(each, 100) for each in query.roles_in(str(role)))}
        found[name] = PortalAccount(
            name,
            tuple(sorted(roles)),
            not query.admins.isdisjoint(roles),
            bool(is_open),
            read_moment(last_at, rules),
        )
    accounts = tuple(found[name] for name in sorted(found))
    keeps = query.keeps_logins or any(each.last_login_at for each in accounts)
    return PortalAccounts(source_id, str(table.values["product"]), accounts, keeps)
