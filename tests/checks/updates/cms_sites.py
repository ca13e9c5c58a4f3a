"""Sites as the usual content systems make them, cut down to what discovering reads: pages, feeds and maps of made-up departments.

The forms are those of WordPress 6.4, NukeViet 4.5, Joomla 4, Drupal 10, Liferay 7.4 and SharePoint 2019 as they answer a visitor.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from tests.web import Reply, answer

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=ZONE)
TITLES = (
    "Khai mạc hội nghị tổng kết công tác năm 2026",
    "Tập huấn kỹ năng số cho cán bộ, công chức cấp xã",
    "Thông báo lịch tiếp công dân tháng 12 năm 2026",
    "Kiểm tra an toàn thực phẩm dịp cuối năm trên địa bàn",
    "Lễ phát động phong trào thi đua yêu nước năm 2027",
)


def days(count: int = len(TITLES)) -> list[tuple[str, int, datetime]]:
    """Return titles with numbers and moments, the newest first, a day apart."""
    return [(TITLES[n % len(TITLES)], 100 - n, NOW - timedelta(days=n, hours=1)) for n in range(count)]


def rss(site: str, path: str, *, count: int = len(TITLES), gmt_means_local: bool = False) -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>{site}{path.format(n)}</link><guid>{site}{path.format(n)}</guid>"
        f"<pubDate>{format_datetime(at).replace('+0700', 'GMT') if gmt_means_local else format_datetime(at)}</pubDate></item>"
        for title, n, at in days(count)
    )
    head = f"<title>Tin tức</title><link>{site}</link><description/>"
    return f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def html(body: str, *, head: str = "", title: str = "Trang chủ") -> bytes:
    page = f'<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body>{body}</body></html>'
    return answer(page.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


def site_map(site: str, path: str, *, more: str = "") -> bytes:
    rows = "".join(
        f"<url><loc>{site}{path.format(n)}</loc><lastmod>{at.isoformat()}</lastmod></url>" for _title, n, at in days()
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}{more}</urlset>'.encode()


def wordpress(site: str) -> dict[str, Reply]:
    posts = [
        {
            "id": n,
            "date": at.replace(tzinfo=None).isoformat(),
            "date_gmt": at.astimezone(ZoneInfo("UTC")).replace(tzinfo=None).isoformat(),
            "link": f"{site}/tin-tuc/bai-{n}/",
            "status": "publish",
            "title": {"rendered": title},
            "content": {"rendered": f"<p>{title}.</p>"},
        }
        for title, n, at in days(20)
    ]
    head = (
        '<meta name="generator" content="WordPress 6.4.3"/>'
        f'<link rel="alternate" type="application/rss+xml" title="RSS" href="{site}/feed/"/>'
        f'<link rel="alternate" type="application/rss+xml" title="Comments" href="{site}/comments/feed/"/>'
        f'<link rel="https://api.w.org/" href="{site}/wp-json/"/>'
    )
    return {
        "/": html('<a href="/gioi-thieu/">Giới thiệu</a>', head=head, title="Sở Y tế tỉnh Khánh Hòa"),
        "/feed/": answer(rss(site, "/tin-tuc/bai-{}/")),
        "/comments/feed/": answer(rss(site, "/tin-tuc/bai-{}/#comment")),
        "/wp-json/wp/v2/posts?per_page=50": answer(json.dumps(posts).encode()),
        "/robots.txt": answer(f"User-agent: *\nSitemap: {site}/wp-sitemap.xml\n".encode()),
        "/wp-sitemap.xml": answer(site_map(site, "/tin-tuc/bai-{}/")),
    }


def nukeviet(site: str) -> dict[str, Reply]:
    """Return a site whose page of feeds links one for each category; its times say GMT and are local."""
    feeds = '<ul><li><a href="/vi/news/rss/Tin-tuc/">Tin tức</a></li><li><a href="/vi/news/rss/Thong-bao/">Thông báo</a></li></ul>'
    return {
        "/": html('<a href="/vi/feeds/">RSS</a>', head='<meta name="generator" content="NukeViet v4.5"/>'),
        "/feeds/": html(feeds),
        "/vi/news/rss/Tin-tuc/": answer(rss(site, "/vi/news/Tin-tuc/bai-{}.html", gmt_means_local=True)),
        "/vi/news/rss/Thong-bao/": answer(rss(site, "/vi/news/Thong-bao/bai-{}.html", gmt_means_local=True)),
    }


def joomla(site: str) -> dict[str, Reply]:
    return {
        "/": html("", head='<meta name="generator" content="Joomla! - Open Source Content Management"/>'),
        "/?format=feed&type=rss": answer(rss(site, "/index.php/tin-tuc/{}-bai")),
        "/index.php?format=feed&type=rss": answer(rss(site, "/index.php/tin-tuc/{}-bai")),
    }


def drupal(site: str) -> dict[str, Reply]:
    return {"/": html("<a href='/lien-he'>Liên hệ</a>"), "/rss.xml": answer(rss(site, "/node/{}"))}


def sharepoint(site: str) -> dict[str, Reply]:
    feed = "/_layouts/15/listfeed.aspx?List=%7B4E1F%7D"
    return {
        "/": html(f'<a href="{feed}">RSS</a>', head='<meta name="GENERATOR" content="Microsoft SharePoint"/>'),
        feed: answer(rss(site, "/Lists/TinTuc/DispForm.aspx?ID={}")),
    }


def liferay_list(site: str) -> dict[str, Reply]:
    """Return a site without a feed: an asset publisher lists its articles on a page of news."""
    items = "".join(
        f'<div class="asset-abstract {"first" if place == 0 else ""}"><a href="/web/soyte/-/{n}"><img src="/anh.jpg"></a>'
        f'<h3 class="asset-title"><a href="/web/soyte/-/{n}">{title}</a></h3>'
        f'<span class="date">Ngày đăng: {at:%d/%m/%Y %H:%M}</span><p>Tóm tắt.</p></div>'
        for place, (title, n, at) in enumerate(days())
    )
    menu = "".join(
        f'<li class="nav-item"><a href="/web/soyte/muc-{n}">Mục số {n} của thực đơn</a></li>' for n in range(6)
    )
    news = f'<ul class="nav">{menu}</ul><div class="asset-publisher"><div class="asset-entries">{items}</div></div>'
    return {
        "/": html(f'<ul class="nav">{menu}</ul><a href="/web/soyte/tin-tuc">Tin tức</a>', title="Sở Y tế"),
        "/web/soyte/tin-tuc": html(news),
    }


def table_list(site: str) -> dict[str, Reply]:
    """Return a page whose documents stand in a table without any class; its dates have no hours."""
    rows = "".join(
        f'<tr><td>{at:%d/%m/%Y}</td><td><a href="/van-ban?id={n}">{title}</a></td></tr>' for title, n, at in days()
    )
    return {"/": html(f'<div id="noi-dung"><table>{rows}</table></div>')}


def scripted(site: str) -> dict[str, Reply]:
    return {"/": html('<div id="app"></div><script src="/app.js"></script>')}
