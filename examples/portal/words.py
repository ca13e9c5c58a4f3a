"""Texts of the example: invented, plausible, no two items alike; and how a TCVN3 editor stores them."""

from __future__ import annotations

import random

TOPICS = (
    "công khai dự toán ngân sách quý", "tiếp công dân định kỳ", "giải quyết thủ tục hành chính", "phòng, chống thiên tai",
    "tuyển dụng viên chức", "cải cách hành chính", "chuyển đổi số trong cơ quan nhà nước", "an toàn thực phẩm",
    "đầu tư công", "lấy ý kiến dự thảo văn bản", "bảo vệ môi trường biển", "phát triển du lịch cộng đồng",
    "chăm sóc sức khỏe người cao tuổi", "phổ biến, giáo dục pháp luật", "đấu thầu qua mạng", "quy hoạch sử dụng đất",
    "nuôi trồng thủy sản bền vững", "an toàn giao thông đường bộ", "xây dựng nông thôn mới", "bảo tồn di sản văn hóa",
    "khám sức khỏe nghĩa vụ quân sự", "hỗ trợ doanh nghiệp nhỏ và vừa", "tiêm chủng mở rộng", "cấp nước sạch nông thôn",
)  # fmt: skip
FORMS = (
    "Thông báo về {topic}", "Hội nghị triển khai công tác {topic}", "Kết quả thực hiện {topic}",
    "Kế hoạch {topic} năm {year}", "Tập huấn nghiệp vụ {topic}", "Kiểm tra công tác {topic} tại cơ sở",
    "Hướng dẫn người dân về {topic}", "Báo cáo chuyên đề {topic}",
)  # fmt: skip
OPENINGS = (
    "Sáng {day}, {unit} đã tổ chức buổi làm việc về {topic} với sự tham dự của đại diện các phòng chuyên môn.",
    "Ngày {day}, {unit} ban hành văn bản hướng dẫn việc thực hiện {topic} trên địa bàn.",
    "Thực hiện chương trình công tác năm {year}, {unit} thông tin đến tổ chức, cá nhân một số nội dung về {topic}.",
    "{unit} vừa công bố số liệu mới nhất về {topic}, tính đến hết ngày {day}.",
)
MIDDLES = (
    "Trong kỳ đã tiếp nhận {a} hồ sơ, giải quyết đúng hạn {b} hồ sơ và chưa phát sinh hồ sơ quá hạn.",
    "Các đơn vị có {a} ngày để gửi ý kiến bằng văn bản hoặc qua hệ thống quản lý văn bản và điều hành.",
    "Tổng kinh phí dự kiến là {a} triệu đồng, trong đó nguồn xã hội hóa chiếm {b} phần trăm.",
    "Đợt này có {a} hộ gia đình và {b} cơ sở kinh doanh tham gia, tăng so với cùng kỳ năm trước.",
    "Bộ phận Một cửa làm việc từ thứ Hai đến thứ Sáu, quầy số {b} tiếp nhận trực tiếp, mỗi ngày tối đa {a} lượt.",
    "Qua kiểm tra {a} điểm, đoàn công tác ghi nhận {b} điểm cần khắc phục trước cuối tháng.",
    "Hồ sơ gồm {b} thành phần, nộp trực tuyến được miễn phí và có kết quả sau {a} giờ làm việc.",
    "Lớp tập huấn gồm {b} chuyên đề dành cho {a} cán bộ, công chức, viên chức của các xã, phường.",
    "Dự kiến có {a} đại biểu; tài liệu dày {b} trang được gửi trước cho các đại biểu nghiên cứu.",
    "Mực nước hồ chứa ở mức {a} phần trăm dung tích; {b} trạm bơm đã được kiểm tra trước mùa mưa.",
)
CLOSINGS = (
    "Đề nghị các cơ quan, đơn vị phối hợp thực hiện và phản ánh vướng mắc về đầu mối số {a}.",
    "Mọi ý kiến đóng góp xin gửi về thư điện tử công vụ của đơn vị trước {b} giờ ngày làm việc cuối cùng của tuần.",
    "Kết quả sẽ được tổng hợp, công khai trên trang thông tin điện tử theo quy định, mã tin {a}{b}.",
    "Phòng chuyên môn số {b} chịu trách nhiệm theo dõi, đôn đốc và báo cáo lần thứ {a} vào kỳ tới.",
)
ENGLISH_FORMS = (
    "Notice on {topic}", "Conference on {topic}", "Results in {topic}", "Plan for {topic} in {year}",
)  # fmt: skip
ENGLISH_TOPICS = (
    "sea environment protection", "investment promotion", "community tourism", "public administration reform",
    "digital services", "seafood exports", "heritage conservation", "traffic safety",
)  # fmt: skip
ENGLISH_BODY = (
    "On {day} the portal published information on {topic}. {a} organisations and {b} enterprises took part, and the "
    "documents, {b} pages in all, are open to everybody. Comments are welcome at desk number {a}; answers are given within "
    "{b} working days. The next meeting discusses how the results of {year} compare with those of the year before."
)

TCVN3 = dict(
    zip(
        "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵĂÂÊÔƠƯĐ",
        "µ¶·¸¹¨»¼½¾Æ©ÇÈÉÊË®ÌÎÏÐÑªÒÓÔÕÖ×ØÜÝÞßáâãä«åæçèé¬êëìíîïñòóô\u00adõö÷øùúûüýþ¡¢£¤¥¦§",
        strict=True,
    )
)
"""TCVN 5712:1993 VN3 (ABC fonts): each Vietnamese letter as the Latin-1 sign that stands at its byte."""


def title(chance: random.Random, year: int) -> tuple[str, str]:
    """Return a Vietnamese title and its topic."""
    topic = chance.choice(TOPICS)
    return chance.choice(FORMS).format(topic=topic, year=year), topic


def body(chance: random.Random, *, unit: str, topic: str, day: str, year: int) -> str:
    """Return a Vietnamese text of five sentences with numbers of its own."""
    parts = [chance.choice(OPENINGS), *chance.sample(MIDDLES, 3), chance.choice(CLOSINGS)]
    return " ".join(_filled(part, chance, unit=unit, topic=topic, day=day, year=year) for part in parts)


def english(chance: random.Random, *, day: str, year: int) -> tuple[str, str]:
    """Return an English title and text."""
    topic = chance.choice(ENGLISH_TOPICS)
    head = chance.choice(ENGLISH_FORMS).format(topic=topic, year=year)
    return head, _filled(ENGLISH_BODY, chance, unit="", topic=topic, day=day, year=year)


def as_tcvn3(text: str) -> str:
    """Return a text as an editor with a TCVN3 font leaves it in a Unicode field.

    >>> as_tcvn3("Cộng hòa xã hội")
    'Céng hßa x· héi'
    """
    return "".join(TCVN3.get(sign, TCVN3.get(sign.lower(), sign)) for sign in text)


def _filled(template: str, chance: random.Random, *, unit: str, topic: str, day: str, year: int) -> str:
    return template.format(
        unit=unit, topic=topic, day=day, year=year, a=chance.randint(11, 980), b=chance.randint(2, 60)
    )
