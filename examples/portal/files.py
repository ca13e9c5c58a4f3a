"""The example's files beside the database: feeds, the register of paper documents, media files, the portal's settings."""

from __future__ import annotations

import csv
import io
import json
import random
import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from email.utils import format_datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from portal.database import CHANNELS, address_of
from portal.items import Item, feed_items, paper, unit_names

FEED_LENGTH = 20
"""Feeds are short: portals of this kind show 10 to 30 items."""
ATOM = "http://www.w3.org/2005/Atom"


def files(today: date) -> Mapping[str, bytes]:
    """Return all files but the database, by path inside the example."""
    names = unit_names()
    feeds = feed_items(today)
    return {
        "feeds/xa-cam-lam.rss": _rss("xa-cam-lam", names["xa-cam-lam"], feeds["xa-cam-lam"]),
        "feeds/phuong-phan-rang.atom": _atom("phuong-phan-rang", names["phuong-phan-rang"], feeds["phuong-phan-rang"]),
        "register/so-van-ban-den.csv": _register(names, paper(today)),
        **_settings(names),
        **_media(),
    }


# --- Feeds (RSS 2.0; Atom, RFC 4287) -----------------------------------------------------------------------------------


def _rss(site: str, name: str, items: Sequence[Item]) -> bytes:
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    for tag, text in (("title", name), ("link", f"https://{address_of(site)}/"), ("description", "Tin tức, sự kiện")):
        ET.SubElement(channel, tag).text = text
    for item in reversed(items[-FEED_LENGTH:]):
        entry = ET.SubElement(channel, "item")
        address = f"https://{address_of(site)}/tin/{item.external_id}"
        for tag, text in (("title", item.title), ("link", address), ("description", item.body)):
            ET.SubElement(entry, tag).text = text
        ET.SubElement(entry, "guid", isPermaLink="false").text = item.external_id
        ET.SubElement(entry, "pubDate").text = format_datetime(item.published_at or item.created_at)
    return _xml(root)


def _atom(site: str, name: str, items: Sequence[Item]) -> bytes:
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")
    shown = tuple(reversed(items[-FEED_LENGTH:]))
    newest = shown[0].created_at.isoformat() if shown else "2025-07-01T00:00:00+07:00"
    for tag, text in (("id", f"tag:{address_of(site)},2025:tin"), ("title", name), ("updated", newest)):
        ET.SubElement(root, f"{{{ATOM}}}{tag}").text = text
    for item in shown:
        entry = ET.SubElement(root, f"{{{ATOM}}}entry")
        moment = (item.published_at or item.created_at).astimezone(UTC).isoformat()
        for tag, text in (
            ("id", f"tag:{address_of(site)},2025:{item.external_id}"), ("title", item.title), ("published", moment),
            ("updated", moment), ("summary", item.body),
        ):  # fmt: skip
            ET.SubElement(entry, f"{{{ATOM}}}{tag}").text = text
        ET.SubElement(entry, f"{{{ATOM}}}link", href=f"https://{address_of(site)}/tin/{item.external_id}")
    return _xml(root)


def _xml(root: ET.Element) -> bytes:
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


# --- Register of incoming documents (Decree 30/2020, Article 22 and Annex IV) --------------------------------------------


def _register(names: Mapping[str, str], items: Sequence[Item]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(("số đến", "ngày đến", "tác giả", "số ký hiệu", "ngày văn bản", "tên loại", "trích yếu"))
    for item in items:
        day = item.created_at.date()
        of_year = day.timetuple().tm_yday
        # The special zone's letters take an even number, the inspectorate's an odd one: each number is given once a year.
        number = 2 * of_year + (item.unit == "thanh-tra-tinh")
        row = (number, f"{day:%d/%m/%Y}", names[item.unit], f"{of_year}/BC", f"{day:%d/%m/%Y}", "Báo cáo", item.title)
        table.writerow(row)
    return out.getvalue().encode()


# --- The portal's own settings ------------------------------------------------------------------------------------------


def _settings(names: Mapping[str, str]) -> Mapping[str, bytes]:
    channels = [
        {"code": code, "kind": kind, "name": {"vi": vietnamese, "en": english}, "visible": True}
        for kind, code, vietnamese, english in CHANNELS
    ]
    sites = [{"id": unit, "name": name, "address": address_of(unit)} for unit, name in names.items()]
    server = f"server_name = {address_of('portal')}\nlanguages = vi, en\nencoding = UTF-8\nsession_minutes = 30\n"
    return {
        "channels/channels.json": _json(channels),
        "channels/sub-portals.json": _json(sites),
        "config/portal.ini": f"[portal]\n{server}\n[uploads]\nfolder = media\nmax_mib = 20\n".encode(),
        "config/robots.txt": b"User-agent: *\nDisallow: /quantri/\n",
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


# --- Media files --------------------------------------------------------------------------------------------------------


def _media() -> Mapping[str, bytes]:
    """Return a few pictures, and scans that no compression makes smaller."""
    made = {f"media/anh/anh-{number:02d}.png": _png(number) for number in range(1, 13)}
    for number in range(1, 7):
        chance = random.Random(f"scan:{number}")
        made[f"media/ban-quet/ban-quet-{number:02d}.jpg"] = b"\xff\xd8\xff\xe0" + chance.randbytes(48_000) + b"\xff\xd9"
    return made


def _png(number: int, *, side: int = 96) -> bytes:
    """Return a small picture with a colour gradient (PNG, ISO/IEC 15948)."""
    rows = b"".join(
        b"\0" + bytes(value for x in range(side) for value in (2 * x, 2 * y, 17 * number % 256)) for y in range(side)
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_files(folder: Path, made: Mapping[str, bytes]) -> int:
    """Write files whole, leaving those as they are that would not change; return how many were written."""
    written = 0
    for name, data in made.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == data:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(data)
        part.replace(path)
        written += 1
    return written
