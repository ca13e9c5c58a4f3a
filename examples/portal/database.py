"""The example's content database: what a small content management system would keep, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from portal.items import PORTAL, Item, articles, submissions, unit_names

SCHEMA = """
CREATE TABLE site (id TEXT PRIMARY KEY, name TEXT NOT NULL, address TEXT NOT NULL);
CREATE TABLE channel (code TEXT PRIMARY KEY, kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 12), name_vi TEXT NOT NULL,
  name_en TEXT NOT NULL, position INTEGER NOT NULL, visible INTEGER NOT NULL);
CREATE TABLE article (id INTEGER PRIMARY KEY, external_id TEXT NOT NULL UNIQUE, site TEXT NOT NULL REFERENCES site,
  unit TEXT, channel TEXT NOT NULL REFERENCES channel, title TEXT NOT NULL, body TEXT NOT NULL, language TEXT NOT NULL,
  kind INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('published', 'draft', 'copy')), original TEXT,
  created_at TEXT NOT NULL, published_at TEXT, modified_at TEXT NOT NULL);
CREATE TABLE submission (id INTEGER PRIMARY KEY, external_id TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, way TEXT NOT NULL,
  subject TEXT NOT NULL, body TEXT NOT NULL, received_at TEXT NOT NULL);
CREATE TABLE account (login TEXT PRIMARY KEY, name TEXT NOT NULL, unit TEXT, role TEXT NOT NULL, active INTEGER NOT NULL);
CREATE INDEX article_by_site ON article (site, state, published_at);
"""

CHANNELS = (
    (1, "gioi-thieu", "Giới thiệu về Khánh Hòa", "About Khanh Hoa"),
    (2, "chi-dao-dieu-hanh", "Chỉ đạo, điều hành", "Directions"),
    (3, "to-chuc-bo-may", "Tổ chức bộ máy", "Organisation"),
    (4, "van-ban", "Văn bản", "Legal documents"),
    (5, "thu-tuc-hanh-chinh", "Thủ tục hành chính", "Administrative procedures"),
    (6, "pho-bien-phap-luat", "Phổ biến pháp luật", "Law for everyone"),
    (7, "thu-dien-tu", "Danh mục thư điện tử", "Official e-mail addresses"),
    (8, "du-an-dau-thau", "Dự án, đấu thầu", "Projects and tenders"),
    (9, "gop-y", "Góp ý, giải đáp", "Questions and answers"),
    (10, "co-so-du-lieu", "Cơ sở dữ liệu dùng chung", "Shared data"),
    (11, "lien-ket", "Cổng con, liên kết", "Sub-portals and links"),
    (12, "tin-tuc", "Tin tức, sự kiện", "News"),
)
"""One channel for each of the twelve kinds of Article 8."""


def address_of(site: str) -> str:
    """Return the fictional host of the portal or of a sub-portal."""
    return "www.khanhhoa.example" if site == PORTAL else f"{site}.khanhhoa.example"


def write_database(path: Path, today: date) -> int:
    """Write the database anew and return how many items it holds; a reader sees the old one or the whole new one."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    connection = sqlite3.connect(part)
    try:
        with connection:
            connection.executescript(SCHEMA)
            _fill_settings(connection)
            made = articles(today)
            _fill_articles(connection, made)
            received = submissions(today)
            connection.executemany(
                "INSERT INTO submission (external_id, unit, way, subject, body, received_at) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (item.external_id, item.unit, "network" if item.unit == "xa-ninh-hai" else "email", item.title, item.body,
                     item.created_at.isoformat())
                    for item in received
                ],
            )  # fmt: skip
        connection.execute("VACUUM")
    finally:
        connection.close()
    part.replace(path)
    return len(made) + len(received)


def _fill_settings(connection: sqlite3.Connection) -> None:
    names = unit_names()
    sites = [(PORTAL, "Cổng thông tin điện tử tỉnh Khánh Hòa"), *names.items()]
    connection.executemany(
        "INSERT INTO site VALUES (?, ?, ?)", [(site, name, address_of(site)) for site, name in sites]
    )
    connection.executemany(
        "INSERT INTO channel VALUES (?, ?, ?, ?, ?, 1)",
        [(code, kind, vietnamese, english, kind) for kind, code, vietnamese, english in CHANNELS],
    )
    editors = [(f"bientap.{unit}", f"Biên tập viên {name}", unit, "editor", 1) for unit, name in names.items()]
    connection.executemany(
        "INSERT INTO account VALUES (?, ?, ?, ?, ?)",
        [
            ("quantri", "Quản trị Cổng", None, "administrator", 1),
            ("kiemduyet", "Kiểm duyệt", None, "reviewer", 1),
            *editors,
        ],
    )


def _fill_articles(connection: sqlite3.Connection, items: Iterable[Item]) -> None:
    channels = {kind: code for kind, code, _vietnamese, _english in CHANNELS}
    connection.executemany(
        "INSERT INTO article (external_id, site, unit, channel, title, body, language, kind, state, original, created_at,"
        " published_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                item.external_id,
                item.site,
                None if item.unit == PORTAL else item.unit,
                channels[item.kind],
                item.title,
                item.body,
                item.language,
                item.kind,
                item.state,
                item.original or None,
                item.created_at.isoformat(),
                item.published_at.isoformat() if item.published_at else None,
                max(item.created_at, item.published_at or item.created_at).isoformat(),
            )
            for item in items
        ],
    )
