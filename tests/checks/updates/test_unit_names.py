"""Names of agencies as registers of incoming documents, feeds and mail write them; the units are made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.updates.unit_names import UnitNames
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.updates import ItemChannel, UpdateSourceTraits
from tests.checks.updates.scene import HEALTH, ZONE, at

REGISTER = UpdateSourceTraits("register", ItemChannel.SUBMISSION, complete=True)
NOW = at("2026-11-20 20:00")
HOME = "Cổng thông tin điện tử tỉnh Khánh Hòa"


def _unit(name: str, *aliases: str) -> Agency:
    return Agency(UnitId(name.casefold().replace(" ", "-")), Name(name, ""), aliases=aliases)


def _find(written: str, *units: Agency, home: str = HOME) -> UnitId | None:
    return UnitNames(units, ZONE, home).find(written, REGISTER, NOW)


def test_a_unit_is_known_by_its_id_its_names_and_the_sources_own_words() -> None:
    names = UnitNames([HEALTH], ZONE)
    traits = replace(REGISTER, unit_names=(("SYT", HEALTH.id),))

    assert [
        names.find(name, traits, NOW) for name in ("so-y-te", " SỞ  y tế", "Department of Health", "syt", "Sở")
    ] == [HEALTH.id, HEALTH.id, HEALTH.id, HEALTH.id, None]


def test_of_two_units_with_one_name_the_one_that_existed_then_is_meant() -> None:
    name = Name("Sở Nội vụ", "Department of Home Affairs")
    old = Agency(UnitId("old"), name, valid_to=at("2025-02-28 00:00").date())
    new = Agency(UnitId("new"), name, valid_from=at("2025-03-01 00:00").date())
    names = UnitNames([old, new], ZONE)

    assert names.find("sở nội vụ", REGISTER, at("2025-02-28 23:59")) == "old"
    assert names.find("Sở Nội vụ.", REGISTER, at("2025-03-01 00:00")) == "new"


@pytest.mark.parametrize("other", ["Xã Hòa Trí", "Xã Hoà Trí", "UBND xã Hòa Trí"])
def test_the_name_of_two_units_that_exist_at_once_means_neither(other: str) -> None:
    first, second = _unit("Xã Hòa Trí"), replace(_unit(other), id=UnitId("m3"))
    names = UnitNames([first, second], ZONE, HOME)

    for written in ("Xã Hòa Trí", "Xã Hoà Trí", "UBND xã Hòa Trí", "xa hoa tri"):
        assert names.find(written, REGISTER, NOW) is None
        assert set(names.resembling(written)) == {first.id, second.id}
    assert names.find("m3", REGISTER, NOW) == second.id


def test_a_unit_is_known_by_an_alias() -> None:
    assert _find("Y tế Khánh Hòa (Văn phòng)", _unit("Sở Y tế", "Y tế Khánh Hòa (Văn phòng)")) == "sở-y-tế"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("UBND xã R1", "Xã R1"),
        ("Xã r5, tỉnh Khánh Hòa", "Xã R5"),
        ("Xa r6", "Xã R6"),
        ("ủy ban nhân dân xã Diên An", "Xã Diên An"),
        ("Uỷ Ban Nhân Dân X. Diên An", "Xã Diên An"),
        ("Xã Diên An", "UBND xã Diên An"),
        ("UBND P. Vĩnh Hoà", "Phường Vĩnh Hòa"),
        ("UBND P.1", "Phường 1"),
        ("UBND phường 01", "Phường 1"),
        ("UBND TT Diên Khánh", "Thị trấn Diên Khánh"),
        ("UBND TP. Nha Trang", "Thành phố Nha Trang"),
        ("Uy ban nhan dan xa Dien An - tinh Khanh Hoa", "Xã Diên An"),
        ("Sở Y tế tỉnh Khánh Hòa", "Sở Y tế"),
        ("Sở Y tế Khánh Hoà", "Sở Y tế"),
        ("Sở  Y-tế", "Sở Y tế"),
        ("Thanh tra tỉnh Khánh Hòa", "Thanh tra tỉnh"),
        ("UBND tỉnh", "Ủy ban nhân dân tỉnh Khánh Hòa"),
        ("VP UBND tỉnh Khánh Hòa", "Văn phòng Ủy ban nhân dân tỉnh"),
        ("Sở GD&ĐT", "Sở Giáo dục và Đào tạo"),
        ("Sở LĐ-TB&XH", "Sở Lao động, Thương binh và Xã hội"),
        ("So KHCN", "Sở Khoa học và Công nghệ"),
        ("Sở TP", "Sở Tư pháp"),
        ("Sở Văn hoá - Thể thao - Du lịch", "Sở Văn hóa, Thể thao và Du lịch"),
        ("Xã Mỹ Lý", "Xã Mĩ Lí"),
    ],
)
def test_a_name_written_another_way_means_the_unit(written: str, name: str) -> None:
    unit = _unit(name)

    assert _find(written, unit, _unit("Xã Vạn Thắng"), _unit("Sở Tài chính")) == unit.id


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Phường Diên An", "Xã Diên An"),
        ("Xã Điền An", "Xã Diên An"),
        ("Xã R2", "Xã R1"),
        ("Sở Y tế tỉnh Phú Yên", "Sở Y tế"),
        ("UBND tỉnh Phú Yên", "Ủy ban nhân dân tỉnh"),
        ("UBND", "Ủy ban nhân dân tỉnh"),
        ("Đảng ủy xã Diên An", "Xã Diên An"),
        ("HĐND xã Diên An", "Xã Diên An"),
        ("UBND xã Diên An, huyện Diên Khánh", "Xã Diên An"),
        ("Phường Tây", "Phường Tây Khánh Hòa"),
        ("Bộ Y tế", "Sở Y tế"),
        ("", "Sở Y tế"),
        ("...", "Sở Y tế"),
    ],
)
def test_a_name_that_may_be_somebody_elses_means_nobody(written: str, name: str) -> None:
    assert _find(written, _unit(name)) is None


def test_where_the_own_province_is_unknown_no_province_is_left_out() -> None:
    assert _find("Sở Y tế tỉnh Khánh Hòa", _unit("Sở Y tế"), home="Cổng thông tin điện tử") is None


def test_communes_that_differ_in_diacritics_alone_are_never_taken_for_each_other() -> None:
    first, second = _unit("Xã Diên An"), _unit("Xã Điền An")
    names = UnitNames([first, second], ZONE, HOME)

    assert names.find("UBND xã Diên An", REGISTER, NOW) == first.id
    assert names.find("UBND xã Điền An", REGISTER, NOW) == second.id
    assert names.find("UBND xa Dien An", REGISTER, NOW) is None
    assert names.resembling("UBND xa Dien An") == (first.id, second.id)


def test_a_unit_that_no_longer_existed_is_not_meant_by_a_like_name() -> None:
    gone = replace(_unit("Xã Diên An"), valid_to=at("2025-06-30 00:00").date())

    assert _find("UBND xã Diên An", gone) is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("UBND phường Diên An", "Xã Diên An"),
        ("Xã Điền An", "Xã Diên An"),
        ("UBND xã Diên An, huyện Diên Khánh", "Xã Diên An"),
        ("Đảng ủy xã Diên An", "Xã Diên An"),
        ("Trạm Y tế Diên An", "Xã Diên An"),
        ("UBND xã Vạn Thắgn", "Xã Vạn Thắng"),
        ("SYT", "Sở Y tế"),
        ("Sở CT", "Sở Công Thương"),
        ("soyte@khanhhoa.gov.vn", "Sở Y tế"),
        ("ubndxadienan@khanhhoa.gov.vn", "Xã Diên An"),
    ],
)
def test_a_name_that_nobody_knows_resembles_the_unit_it_may_mean(written: str, name: str) -> None:
    names = UnitNames([_unit("Sở Tài chính"), _unit(name), _unit("Xã R1")], ZONE, HOME)

    assert names.resembling(written) == (_unit(name).id,)


@pytest.mark.parametrize(
    "written",
    [
        "Sở Y tế tỉnh Phú Yên",
        "So Y te tinh Phu Yen",
        "Bộ Y tế",
        "Xã R2",
        "Phường 2",
        "Công ty TNHH An Phú",
        "",
        "\u202e",
    ],
)
def test_a_strangers_name_resembles_nobody(written: str) -> None:
    names = UnitNames([_unit("Sở Y tế"), _unit("Xã R1"), _unit("Phường 1")], ZONE, HOME)

    assert names.resembling(written) == ()


def test_a_unit_that_is_alike_as_a_whole_is_suggested_before_those_that_share_a_part() -> None:
    commune, office = _unit("Xã Diên An"), _unit("Phường Diên An")
    names = UnitNames([_unit("Sở Y tế"), office, commune], ZONE, HOME)

    assert names.resembling("xã Điền An") == (commune.id, office.id)


def test_the_name_before_a_longer_one_resembles_it() -> None:
    names = UnitNames([_unit("Sở Y tế và Dân số"), _unit("Phường Vĩnh Hải Đông")], ZONE, HOME)

    assert names.resembling("Sở Y tế") == (_unit("Sở Y tế và Dân số").id,)
    assert names.resembling("Phường Vĩnh Hải") == (_unit("Phường Vĩnh Hải Đông").id,)
    assert names.resembling("Phường Vĩnh") == ()


def test_a_name_that_was_cut_is_open_for_the_longer_one_beside_those_that_differ_in_a_letter() -> None:
    cut, alike = _unit("Xã Ninh Hải Đông"), _unit("Xã Vinh Hải")
    names = UnitNames([cut, alike], ZONE, HOME)

    assert set(names.resembling("UBND xã Ninh Hải")) == {cut.id, alike.id}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("BQL KKT Vân Phong", "Ban Quản lý Khu kinh tế Vân Phong"),
        ("BQLKKT Vân Phong", "Ban Quản lý Khu kinh tế Vân Phong"),
        ("TTYT Vạn Ninh", "Trung tâm Y tế huyện Vạn Ninh"),
        ("BCH Quân sự tỉnh", "Bộ Chỉ huy Quân sự tỉnh"),
    ],
)
def test_capitals_are_the_initials_of_the_only_unit_that_they_fit(written: str, name: str) -> None:
    names = UnitNames([_unit(name), _unit("Sở Y tế")], ZONE, HOME)

    assert names.find(written, REGISTER, NOW) == _unit(name).id


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("TTYT", "Trung tâm Y tế huyện Vạn Ninh"),
        ("TTYT VẠN NINH", "Trung tâm Y tế huyện Vạn Ninh"),
        ("CA tỉnh", "Công an tỉnh Khánh Hòa"),
        ("TT Vạn Giã", "Trung tâm Vạn Giã"),
        ("TTr tỉnh", "Thanh tra tỉnh"),
        ("BQL KKT", "Ban Quản lý Khu kinh tế Vân Phong"),
    ],
)
def test_capitals_that_leave_out_more_are_open_for_the_unit(written: str, name: str) -> None:
    names = UnitNames([_unit(name), _unit("Sở Y tế")], ZONE, HOME)

    assert names.find(written, REGISTER, NOW) is None
    assert names.resembling(written) == (_unit(name).id,)


def test_capitals_that_fit_two_units_mean_neither() -> None:
    first, second = _unit("Trung tâm Y tế huyện Vạn Ninh"), _unit("Trung tâm Y tế thị xã Vạn Ninh")
    names = UnitNames([first, second], ZONE, HOME)

    assert names.find("TTYT Vạn Ninh", REGISTER, NOW) is None
    assert set(names.resembling("TTYT Vạn Ninh")) == {first.id, second.id}


def test_an_author_is_a_stranger_until_it_is_declared_to_be_no_unit() -> None:
    names = UnitNames([_unit("Sở Y tế")], ZONE, HOME)
    declared = replace(REGISTER, outsiders=("báo khánh hòa", "Bộ *"))

    def strangers(traits: UpdateSourceTraits) -> list[str]:
        written = ("Báo Khánh Hòa", "Bộ Nội vụ", "Công ty An Phú", "Sở Y tế tỉnh Lâm Đồng", "Sở Y tê", "")
        return [one for one in written if names.is_stranger(one, traits, NOW)]

    assert strangers(replace(REGISTER, outsiders=())) == ["Báo Khánh Hòa", "Bộ Nội vụ", "Công ty An Phú"]
    assert strangers(declared) == ["Công ty An Phú"]
    assert strangers(REGISTER) == []


@pytest.mark.parametrize(
    ("written", "likely"),
    [
        ("Trạm Y tế phường Ninh Chử", False),
        ("nt (↑ Trạm Y tế phường Ninh Chử)", False),
        ("TRẠM Y TẾ P. Ninh Chử", False),
        ("Công an phường Ninh Chử", False),
        ("Trạm Y tế, UBND phường Ninh Chử", True),
        ("Trạm Y tế và phường Ninh Chử", True),
        ("Trạm Y tế UBND phường Ninh Chử", True),
        ("Trường THCS phường Ninh Chử", True),
        ("Trạm Y tế Vạn Ninhh", True),
    ],
)
def test_a_declared_outsider_that_holds_a_units_name_is_nobodys_unless_it_may_be_two_authors_or_a_slip(
    written: str, likely: bool
) -> None:
    names = UnitNames([_unit("Phường Ninh Chử"), _unit("Trạm Y tế Vạn Ninh")], ZONE, HOME)
    declared = replace(REGISTER, outsiders=("Trạm Y tế *", "Công an phường Ninh Chử"))

    assert bool(names.likely(written, declared, NOW)) is likely
    assert not names.is_stranger(written, declared, NOW)
    assert names.likely(written, REGISTER, NOW)


@pytest.mark.parametrize(
    "written",
    [
        "Sở Công Thương tỉnh Đắk Lắk",
        "Sở Công Thương Đắk Lắk",
        "Sở Công thương Đắc Lắc",
        "Sở Công thương TP. Đà Nẵng",
        "Sở Công Thương TP HCM",
        "Sở Công Thương thành phố Hồ Chí Minh",
        "So Cong Thuong Phu Yen",
        "UBND xã Diên An, tỉnh Lâm Đồng",
        "UBND phường Diên An, TP. Huế",
        "Công an Lâm Đồng",
    ],
)
def test_an_agency_of_another_province_is_nobodys(written: str) -> None:
    names = UnitNames([_unit("Sở Công Thương"), _unit("Xã Diên An"), _unit("Công an tỉnh")], ZONE, HOME)
    traits = replace(REGISTER, outsiders=())

    assert names.find(written, traits, NOW) is None
    assert names.likely(written, traits, NOW) == ()
    assert not names.is_stranger(written, traits, NOW)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("Sở Công Thương Ninh Thuận", "Sở Công Thương"),
        ("Sở Công Thương tỉnh Ninh Thuận", "Sở Công Thương"),
        ("Sở Công Thương và Sở Y tế Đắk Lắk", "Sở Công Thương"),
        ("Sở Công Thương, UBND xã Lâm Đồng", "Sở Công Thương"),
        ("Công an xã Lâm Đồng", "Công an tỉnh"),
        ("Công an Lâm Đồng", "Xã Lâm Đồng"),
        ("UBND phường Hải Phòng", "Phường Hải Phòng"),
        ("Công an phường Hải Phòng", "Phường Hải Phòng"),
        ("UBND xã Bình Hải Dương", "Xã Bình Hải"),
    ],
)
def test_the_name_of_another_province_within_a_name_of_ours_proves_nothing(written: str, unit: str) -> None:
    names = UnitNames([_unit(unit)], ZONE, HOME)
    traits = replace(REGISTER, outsiders=())

    found = names.find(written, traits, NOW), *names.likely(written, traits, NOW)
    assert _unit(unit).id in found or names.is_stranger(written, traits, NOW)


def test_where_the_own_province_is_unknown_none_is_another_one() -> None:
    names = UnitNames([_unit("Sở Công Thương")], ZONE, "Cổng thông tin điện tử")

    assert names.likely("Sở Công Thương TP. Đà Nẵng", replace(REGISTER, outsiders=()), NOW)


def test_who_took_over_from_a_unit_is_known_from_the_day_after_its_last() -> None:
    heir = _unit("Sở Nội vụ")
    gone = replace(_unit("Sở Lao động"), valid_to=at("2026-11-15 00:00").date(), successors=(heir.id,))
    names = UnitNames([heir, gone], ZONE, HOME)

    assert names.successors(gone.id, at("2026-11-15 23:00")) == ()
    assert names.successors(gone.id, at("2026-11-16 00:00")) == (heir.id,)


def test_a_name_of_any_length_is_answered() -> None:
    names = UnitNames([_unit("Xã Diên An")], ZONE, HOME)

    assert names.find("xã " * 100_000, REGISTER, NOW) is None
    assert names.resembling("xã " * 100_000) == ()


def test_a_mail_address_means_the_unit_whose_alias_it_or_its_domain_is() -> None:
    health, press = _unit("Sở Y tế", "soyte.khanhhoa.example"), _unit("Phòng Báo chí", "baochi@soyte.khanhhoa.example")

    assert _find("VanThu@soyte.khanhhoa.example", health, press) == health.id
    assert _find("baochi@soyte.khanhhoa.example", health, press) == press.id
    assert _find("vanthu@khac.example", health, press) is None


def test_a_mail_address_resembles_the_unit_that_its_domain_is_named_after() -> None:
    names = UnitNames([_unit("Sở Y tế"), _unit("Xã R1")], ZONE, HOME)

    assert names.resembling("vanthu@soyte.khanhhoa.gov.vn") == ("sở-y-tế",)
