from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from checks.updates.sources import feed, register, sql
from portalops.config.tables import KindTable
from portalops.errors import ConfigurationError, LiteralSecret, UpdateSourceError
from portalops.model.updates import ItemChannel
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import QUERY, ZONE, at, content_database, said_of

SAMPLES = Path(__file__).parents[2] / "samples/updates"
NOW = at("2026-11-20 09:00")


def test_wrong_settings_are_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="either file or url"):
        feed.build("a", KindTable.alone("a", "feed", {"channel": "portal"}, tmp_path), zone=ZONE, web=HttpWeb())


def test_an_unknown_time_zone_is_a_configuration_error(tmp_path: Path) -> None:
    table = {"channel": "portal", "file": "a.xml", "assume_tz": "Asia/Nha_Trang"}

    with pytest.raises(ConfigurationError, match="assume_tz is not a time zone"):
        feed.build("a", KindTable.alone("a", "feed", table, tmp_path), zone=ZONE, web=HttpWeb())


# --- sql --------------------------------------------------------------------------------------


def _sql(folder: Path, query: str = QUERY, url: str = "sqlite:///portal.sqlite") -> sql.SqlSource:
    settings = sql.Settings(channel=ItemChannel.SUBPORTAL, url=url, query=query)
    return sql.SqlSource("content", settings, folder=folder, zone=ZONE)


def test_rows_become_items(tmp_path: Path) -> None:
    row = (7, "<b>Tin</b> số 7", "2026-11-16 09:00", "2026-11-16 08:55", "Sở Y tế", "<p>Nội dung</p>")
    content_database(tmp_path, [row])
    source = _sql(tmp_path)

    answer = source.fetch(etag="")
    (item,) = source.parse(answer.data or b"", polled_at=NOW).items

    assert (item.external_id, item.title, item.unit_name, item.body) == ("7", "Tin số 7", "Sở Y tế", "Nội dung")
    assert (item.published_at, item.created_at) == (at("2026-11-16 09:00"), at("2026-11-16 08:55"))


def test_each_column_of_a_query_is_read_in_its_own_order_of_day_and_month(tmp_path: Path) -> None:
    rows = [[1, "a", "11/9/2026", "09/11/2026"], [2, "b", "11/24/2026", "24/11/2026"]]
    columns = ["external_id", "title", "published_at", "created_at"]

    found = _sql(tmp_path).parse(json.dumps({"columns": columns, "rows": rows}).encode(), polled_at=NOW)

    assert {one.published_at == one.created_at for one in found.items} == {True}


def test_a_query_without_the_expected_columns_names_what_it_gives(tmp_path: Path) -> None:
    content_database(tmp_path)

    with pytest.raises(
        UpdateSourceError,
        match=("content: its query returns no column external_id, published_at; it returns id, title"),
    ):
        _sql(tmp_path, "SELECT id, title FROM news").fetch(etag="")


def test_a_query_that_writes_is_refused_by_the_settings_and_by_the_database(tmp_path: Path) -> None:
    content_database(tmp_path, [(1, "t", "2026-11-16", "2026-11-16", "u", "b")])

    with pytest.raises(ValueError, match="is not a read-only query"):
        _sql(tmp_path, "DELETE FROM news")
    with pytest.raises(UpdateSourceError):
        _sql(
            tmp_path,
            "WITH x AS (SELECT 1) DELETE FROM news RETURNING id AS external_id, title, published AS published_at",
        ).fetch(etag="")

    connection = sqlite3.connect(tmp_path / "portal.sqlite")
    assert connection.execute("SELECT count(*) FROM news").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize(
    ("query", "url", "cause"),
    [
        (QUERY, "sqlite:///none.sqlite", "there is no database file none.sqlite"),
        ("SELECT * FROM absent", "sqlite:///portal.sqlite", "no such table: absent"),
        (QUERY, "sqlite:///broken.sqlite", "file is not a database"),
        (QUERY, "postgresql+pg8000://reader@localhost/portal", "pg8000 is not installed"),
    ],
)
def test_a_database_that_does_not_answer_is_named(tmp_path: Path, query: str, url: str, cause: str) -> None:
    content_database(tmp_path)
    (tmp_path / "broken.sqlite").write_bytes(b"no database, " * 100)

    with pytest.raises(UpdateSourceError, match=cause):
        _sql(tmp_path, query, url).fetch(etag="")


def test_a_row_without_a_key_or_with_a_wrong_channel_is_refused_and_the_others_count(tmp_path: Path) -> None:
    content_database(tmp_path)
    query = (
        "SELECT NULL AS external_id, 'a' AS title, '2026-11-16' AS published_at, NULL AS channel "
        "UNION ALL SELECT '2', 'b', '2026-11-16', 'radio' UNION ALL SELECT '3', 'c', '2026-11-16', 'portal'"
    )
    source = _sql(tmp_path, query)

    listing = source.parse(source.fetch(etag="").data or b"", polled_at=NOW)

    assert [item.external_id for item in listing.items] == ["3"]
    assert said_of(listing) == (
        "row 1: no external_id",
        "row 2: channel radio is none of portal, subportal, submission",
    )


def test_a_row_in_a_legacy_encoding_does_not_hide_the_others(tmp_path: Path) -> None:
    file = content_database(tmp_path, [(1, "a", "2026-11-16", "2026-11-16", "u", "b")])
    connection = sqlite3.connect(file)
    connection.execute("INSERT INTO news SELECT 2, CAST(X'43E96E67' AS TEXT), published, created, unit, body FROM news")
    connection.commit()
    connection.close()
    source = _sql(tmp_path)

    listing = source.parse(source.fetch(etag="").data or b"", polled_at=NOW)

    assert [item.title for item in listing.items] == ["a", "C\ufffdng"]


def test_a_password_in_the_url_is_refused_and_not_shown(tmp_path: Path) -> None:
    table = {"channel": "portal", "url": "postgresql://u:geheim@h/d", "query": "SELECT 1"}

    with pytest.raises(LiteralSecret) as caught:
        sql.build("a", KindTable.alone("a", "sql", table, tmp_path), zone=ZONE, web=HttpWeb())

    assert "geheim" not in str(caught.value) + str(caught.value.hint)


# --- feed -------------------------------------------------------------------------------------


def _feed(**settings: object) -> feed.FeedSource:
    return feed.FeedSource("soyte", feed.Settings(channel=ItemChannel.SUBPORTAL, **settings), zone=ZONE, web=HttpWeb())  # type: ignore[arg-type]


def test_an_rss_feed_is_read_with_the_sources_own_clock() -> None:
    source = _feed(file=SAMPLES / "nukeviet_rss.xml", gmt_means_local=True)

    first, second = source.parse(source.fetch(etag="").data or b"", polled_at=NOW).items

    assert (first.external_id, first.language) == ("soyte-news-12", "vi")
    assert first.published_at == at("2026-11-18 09:11:05")
    assert first.body == "Trung tâm Kiểm soát bệnh tật tỉnh tổ chức tiêm chủng mở rộng."
    assert first.body_is_summary
    assert second.raw_date == "Mon, 16 Nov 2026 14:11:31 GMT"


def test_an_atom_feed_is_read_by_the_keys_that_are_there() -> None:
    source = _feed(url=(SAMPLES / "atom.xml").as_uri())

    first, second = source.parse(source.fetch(etag="").data or b"", polled_at=NOW).items

    assert (first.published_at, first.unit_name) == (at("2026-11-17 08:30"), "Sở Tư pháp")
    assert (first.body, first.body_is_summary) == ("Văn phòng UBND tỉnh tổ chức họp báo.", False)
    assert second.published_at == at("2026-11-16 09:00")


def test_a_date_that_feed_readers_take_for_another_day_is_read_right_or_not_at_all() -> None:
    entry = "<item><title>a</title><link>https://a.example/1</link><pubDate>{}</pubDate></item>"
    dates = ("2026/11/24 08:30:00", "24.11.26", "05/11/2026")
    data = f"<rss version='2.0'><channel>{''.join(entry.format(one) for one in dates)}</channel></rss>".encode()

    items = _feed(url="https://a.example/").parse(data, polled_at=NOW).items

    assert [item.published_at for item in items] == [at("2026-11-24 08:30"), None, at("2026-11-05 00:00")]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "not well-formed XML"),
        (b"khong phai XML", "not well-formed XML"),
        (b"<!DOCTYPE html><html><body>Bao tri<br></body></html>", "an HTML page, not a feed"),
        (b"<html><body>Dang nhap</body></html>", "an HTML page, not a feed"),
        (b"<svg></svg>", "no RSS or Atom feed: svg"),
        (b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss>&b;</rss>', "declares XML entities"),
        ('<!DOCTYPE r [<!ENTITY a "aaaa">]><rss>&a;</rss>'.encode("utf-16"), "declares XML entities"),
        (b"<rss><channel><item>", "not well-formed XML"),
        (b"<rss><channel><item><title>a&#x110000;</title></item>", "the feed is broken: ValueError"),
        (
            b'<?xml version="1.0" encoding="\xe7"?><rss><item><title>a</title></item></rss>',
            "the feed is broken: Unicode",
        ),
    ],
)
def test_what_is_no_feed_is_an_error(data: bytes, cause: str) -> None:
    with pytest.raises(UpdateSourceError, match=cause):
        _feed(url="https://a.example/").parse(data, polled_at=NOW)


def test_a_feed_that_is_nearly_xml_is_read_and_said_to_be_broken() -> None:
    data = b"<rss version='2.0'><channel><item><title>Tin&nbsp;1</title><guid>1</guid></item></channel></rss>"

    listing = _feed(url="https://a.example/").parse(data, polled_at=NOW)

    assert len(listing.items) == 1
    assert "not well-formed XML" in said_of(listing)[0]


def test_other_schemes_are_refused() -> None:
    with pytest.raises(ValueError, match="is not a valid address"):
        _feed(url="ftp://a.example/rss")


# --- register ---------------------------------------------------------------------------------


def _register(folder: Path, text: str | bytes) -> register.RegisterSource:
    file = folder / "so-den.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return register.RegisterSource("so-den", register.Settings(channel=ItemChannel.SUBMISSION, file=file), zone=ZONE)


def test_wrong_lines_of_a_register_are_refused_by_number_and_the_others_count(tmp_path: Path) -> None:
    source = _register(tmp_path, (SAMPLES / "register.csv").read_bytes())

    listing = source.parse(source.fetch(etag="").data or b"", polled_at=NOW)

    assert [item.external_id for item in listing.items] == ["2026/101", "2026/102", "2026/104", "2026/106"]
    assert listing.items[0].created_at == at("2026-11-16 00:00")
    assert listing.items[0].title == "215/STP-VP Về việc cung cấp thông tin tuần 47"
    assert said_of(listing) == (
        "line 4: số đến 102 of 2026 is already in line 3",
        "line 5: no số đến",
        "line 6: no ngày đến",
        "line 7: ngày đến 30/12/2026 is in the future",
        "line 8: ngày đến 31/11/2026 is not a date",
    )


def test_a_sign_of_repetition_stands_for_the_author_of_the_line_above_in_the_file(tmp_path: Path) -> None:
    lines = (
        "số đến,ngày đến,tác giả,số,ký hiệu,trích yếu",
        "1,2026-11-16,nt,1,BC,Tin",
        "2,2026-11-16,Sở Y tế,2,BC,Tin",
        "3,2026-11-16,n/t,3,nt,Tin",
        '4,2026-11-16,"""",4,BC,Tin',
        "5,2026-11-16,,5,BC,Tin",
        "6,2026-11-16,'',6,BC,Tin",
        "7,2026-11-16,Sở Y tế,nt,BC,Tin",
        "nt,2026-11-16,//,8,BC,Tin",
    )

    listing = _register(tmp_path, "\n".join(lines)).parse("\n".join(lines).encode(), polled_at=NOW)

    assert [item.unit_name for item in listing.items] == [
        "nt", "Sở Y tế", "n/t (↑ Sở Y tế)", '" (↑ Sở Y tế)', "", "''",
    ]  # fmt: skip
    assert [item.unit_name for item in listing.rejected] == ["Sở Y tế", "// (↑ Sở Y tế)"]
    assert said_of(listing) == (
        "line 8: số ký hiệu nt repeats the line above: write the paper's own",
        "line 9: số đến nt repeats the line above: write the number",
    )


def test_a_quotation_mark_that_nobody_closes_hides_no_lines_in_silence(tmp_path: Path) -> None:
    text = 'số đến,ngày đến,tác giả,trích yếu\n1,2026-11-16,",Tin\n2,2026-11-16,Sở Y tế,Tin\n'

    listing = _register(tmp_path, text).parse(text.encode(), polled_at=NOW)

    assert [one.is_open for one in listing.rejected] == [True]
    assert said_of(listing) == ("line 2: a quotation mark that is not closed hides what follows up to line 3",)


def test_an_author_of_two_lines_hides_nothing(tmp_path: Path) -> None:
    text = 'số đến,ngày đến,tác giả,số ký hiệu,trích yếu\n1,2026-11-16,"Sở Y tế,\nSở Tư pháp",1/BC,Tin\n'

    assert not _register(tmp_path, text).parse(text.encode(), polled_at=NOW).rejected


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_names_of_decree_30_and_a_byte_order_mark_are_understood(tmp_path: Path, separator: str) -> None:
    lines = (
        "ArrivalDate,ArrivalNumber,OrganName,CodeNumber,CodeNotation,Subject",
        "2026-11-16,1,Sở Y tế,12,SYT-VP,Tin",
    )
    source = _register(tmp_path, b"\xef\xbb\xbf" + "\n".join(lines).replace(",", separator).encode())

    (item,) = source.parse(source.fetch(etag="").data or b"", polled_at=NOW).items

    assert (item.title, item.unit_name) == ("12/SYT-VP Tin", "Sở Y tế")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            "a,b\n1,2\n",
            r"no column số đến \(ArrivalNumber\), ngày đến \(ArrivalDate\), tác giả \(OrganName\); it has a, b",
        ),
        ("", "has no column"),
        ("Số đến,Ngày đến,Tác giả\n1,16/11/2026,S\xe9 Y t\xd5\n".encode("cp1252", "ignore"), "line 1 is not UTF-8"),
    ],
)
def test_a_file_that_is_no_register_is_an_error(tmp_path: Path, text: str | bytes, cause: str) -> None:
    source = _register(tmp_path, text)

    with pytest.raises(UpdateSourceError, match=cause):
        source.parse(source.fetch(etag="").data or b"", polled_at=NOW)


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_lines_of_title_may_stand_above_the_headings_of_a_register(tmp_path: Path, sign: str) -> None:
    rows = (
        ("SỔ ĐĂNG KÝ VĂN BẢN ĐẾN NĂM 2026", "", "", ""),
        ("Văn phòng, tiếp nhận; phòng một", "", "", ""),
        ("", "", "", ""),
        ("Số đến", "Ngày đến", "Tác giả", "Trích yếu"),
        ("1", "17/11/2026", "Sở Y tế", "Báo cáo tuần"),
        ("2", "18/11/2026", "Sở Y tế", "Báo cáo tháng"),
    )
    text = "\r\n".join(sign.join(f'"{cell}"' if cell[-3:] == "một" else cell for cell in row) for row in rows)
    source = _register(tmp_path, text.encode())

    found = source.parse(source.fetch(etag="").data or b"", polled_at=NOW)

    assert [one.title for one in found.items] == ["Báo cáo tuần", "Báo cáo tháng"]
    assert found.rejected == ()


def test_an_arrival_number_with_zeros_in_front_is_the_same_number(tmp_path: Path) -> None:
    text = "Số đến,Ngày đến,Tác giả\n2,16/11/2026,Sở Y tế\n002,17/11/2026,Sở Y tế\n"

    listing = _register(tmp_path, text).parse(text.encode(), polled_at=NOW)

    assert said_of(listing) == ("line 3: số đến 002 of 2026 is already in line 2",)


_HEADINGS = "TT,Số đến,Ngày đến,Tác giả,Số ký hiệu,Trích yếu"


@pytest.mark.parametrize(
    "lines",
    [
        [",Tổng cộng: 9 văn bản,,,,"],
        [",Tổng cộng,9,,,"],
        [",,,,,Tổng số văn bản đến trong tháng: 9"],
        [",Cộng trang,,,,"],
        [",Cộng mang sang,,5,,"],
        ["Tháng 11 năm 2026,,,,,"],
        [",THÁNG 11/2026,,,,"],
        [",,,Quý IV năm 2026,,"],
        ["Tuần 47 (từ ngày 16/11 đến ngày 22/11/2026),,,,,"],
        [",Trang 2/5,,,,"],
        [",Tiếp theo trang trước,,,,"],
        [_HEADINGS],
        ["(1),(2),(3),(4),(5),(6)"],
        ["SỔ ĐĂNG KÝ VĂN BẢN ĐẾN NĂM 2026,,,,,", _HEADINGS],
        [",Người lập sổ,,,Chánh Văn phòng,", ",Nguyễn Văn An,,,Trần Thị Bình,"],
        [',,,,"Người lập sổ\n(Ký, ghi rõ họ tên)",'],
        [",,,,,Ghi chú: dòng tô vàng là bản mật"],
        ["3,,,,,"],
        ["…,…,…,…,…,…"],
        ["---,,,,,"],
    ],
)  # fmt: skip
def test_a_line_that_surely_is_no_paper_hides_nothing(tmp_path: Path, lines: list[str]) -> None:
    paper = "1,1,16/11/2026,Sở Y tế,1/BC,Báo cáo tuần"
    text = "\n".join(["SỔ ĐĂNG KÝ VĂN BẢN ĐẾN NĂM 2026,,,,,", _HEADINGS, paper, *lines, "2,2,17/11/2026,nt,2/BC,Tin"])

    listing = _register(tmp_path, text).parse(text.encode(), polled_at=NOW)

    assert listing.rejected == ()
    assert [one.unit_name for one in listing.items] == ["Sở Y tế", "nt (↑ Sở Y tế)"]


@pytest.mark.parametrize(
    "line",
    [
        ",3,,,,",  # a number that waits for its line
        ",,18/11/2026,,,",
        ",,,Sở Y tế,,",
        ",,,,144/BC-SYT,",
        ",,,,,Báo cáo tháng 11 năm 2026",
        ",,,,,Tổng kết năm 2026",
        ",,,,,Tổng hợp kết quả tuần 47",
        ",,,Tổng cục Thống kê,,",
        ",,,Cộng đồng dân cư phường 5,,",
        ",Tổng cộng,9,Sở Y tế,,",
        ",9,,,,Tổng cộng",
        ",,,,144,Tổng cộng",
        ",Tháng 11 năm 2026,,Sở Y tế,144/BC-SYT,",
        ",,,,,Ghi chú: Sở Y tế có gửi báo cáo bản giấy",
        ",,,,,Ghi chú: số 144 vào sổ sau",
        ",,,Nguyễn Văn An,,",
        ",,Người lập sổ,Sở Y tế,,Báo cáo tuần",
        ',"""","""","""",,',
        ",//,//,//,,",
        ",2,1,4,3,5",
    ],
)
def test_a_line_that_may_be_a_paper_is_named(tmp_path: Path, line: str) -> None:
    text = "\n".join([_HEADINGS, "1,1,16/11/2026,Sở Y tế,1/BC,Báo cáo tuần", line])

    assert len(_register(tmp_path, text).parse(text.encode(), polled_at=NOW).rejected) == 1


def test_a_title_of_the_register_that_is_an_author_may_be_a_paper(tmp_path: Path) -> None:
    text = "\n".join([",,,Sở Y tế,,", _HEADINGS, "1,1,16/11/2026,Sở Tư pháp,1/BC,Báo cáo tuần", ",,,Sở Y tế,,"])

    assert len(_register(tmp_path, text).parse(text.encode(), polled_at=NOW).rejected) == 1


def test_a_missing_register_is_an_error(tmp_path: Path) -> None:
    settings = register.Settings(channel=ItemChannel.SUBMISSION, file=tmp_path / "none.csv")

    with pytest.raises(UpdateSourceError, match=r"cannot read none\.csv: No such file"):
        register.RegisterSource("so-den", settings, zone=ZONE).fetch(etag="")
