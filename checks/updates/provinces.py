"""The provinces of Viet Nam, by which an agency of another province is known for one. Pure.

Source: Resolution 202/2025/QH15 of the National Assembly of 12 June 2025 on the arrangement of provincial units. Of its 34 provinces and
centrally run cities 23 were made of two or three; the old names stand beside the new one, as agencies and clerks go on writing them.
"""

from __future__ import annotations

from collections.abc import Sequence

PROVINCES: Sequence[tuple[str, ...]] = (
    ("An Giang", "Kiên Giang"),
    ("Bắc Ninh", "Bắc Giang"),
    ("Cà Mau", "Bạc Liêu"),
    ("Cao Bằng",),
    ("Cần Thơ", "Hậu Giang", "Sóc Trăng"),
    ("Đà Nẵng", "Quảng Nam"),
    ("Đắk Lắk", "Đắc Lắc", "Phú Yên"),
    ("Điện Biên",),
    ("Đồng Nai", "Bình Phước"),
    ("Đồng Tháp", "Tiền Giang"),
    ("Gia Lai", "Bình Định"),
    ("Hà Nội",),
    ("Hà Tĩnh",),
    ("Hải Phòng", "Hải Dương"),
    ("Hồ Chí Minh", "HCM", "Bà Rịa Vũng Tàu", "Bình Dương"),
    ("Huế", "Thừa Thiên Huế"),
    ("Hưng Yên", "Thái Bình"),
    ("Khánh Hòa", "Ninh Thuận"),
    ("Lai Châu",),
    ("Lâm Đồng", "Bình Thuận", "Đắk Nông", "Đắc Nông"),
    ("Lạng Sơn",),
    ("Lào Cai", "Yên Bái"),
    ("Nghệ An",),
    ("Ninh Bình", "Hà Nam", "Nam Định"),
    ("Phú Thọ", "Hòa Bình", "Vĩnh Phúc"),
    ("Quảng Ngãi", "Kon Tum"),
    ("Quảng Ninh",),
    ("Quảng Trị", "Quảng Bình"),
    ("Sơn La",),
    ("Tây Ninh", "Long An"),
    ("Thái Nguyên", "Bắc Kạn"),
    ("Thanh Hóa",),
    ("Tuyên Quang", "Hà Giang"),
    ("Vĩnh Long", "Bến Tre", "Trà Vinh"),
)
"""Each by its name of today, with the provinces that went into it and other spellings behind it."""
CITIES = ("Cần Thơ", "Đà Nẵng", "Hà Nội", "Hải Phòng", "Hồ Chí Minh", "HCM", "Huế")
"""Those of them that are run by the central government: a name says thành phố for tỉnh."""
