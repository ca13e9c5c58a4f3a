"""Registers of incoming papers as clerks keep them: by which a unit feigns work, or is accused though it works."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tests.attacks.update_scene import Province, Register
from tests.checks.updates.scene import HEALTH


def _registers_of_two_sections(p: Province) -> tuple[Register, Register]:
    """Let two sections of one office keep a register each, and poll both."""
    register, other = p.with_register(), Register(p.folder / "so-den-2.csv")
    p.poll("register", "so-den-2", channel="submission", file=str(other.file))
    register.enter(1, "01/10/2026", "Sở Y tế")
    other.enter(1, "01/10/2026", "Sở Tư pháp")
    return register, other


def one_paper_in_two_registers(p: Province) -> None:
    register, other = _registers_of_two_sections(p)
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "45/BC-SYT", "Giám sát sốt xuất huyết")
    p.plan(p.day(4), other.add_line, 2, "19/11/2026", "Sở Y tế", "45/BCSYT", "Phụ lục số liệu")


def paper_and_its_certified_copy(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "402/BC-SYT", "Giám sát sốt xuất huyết")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "17/SY-SYT", "Sao y: Giám sát sốt xuất huyết")


def papers_of_one_arrival_number_in_two_registers(p: Province) -> None:
    register, other = _registers_of_two_sections(p)
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "45/BC-SYT", "Giám sát sốt xuất huyết")
    p.plan(p.day(4), other.add_line, 2, "19/11/2026", "Sở Y tế", "46/BC-SYT", "Tiêm vắc-xin sởi")


def one_paper_without_a_number_registered_twice(p: Province) -> None:
    _registered_without_a_number(p, "", "")


def one_paper_once_without_its_number(p: Province) -> None:
    _registered_without_a_number(p, "", "144/BC-SYT")


def one_paper_without_a_number_under_a_like_subject(p: Province) -> None:
    subjects = (
        "V/v báo cáo kết quả rà soát hộ nghèo năm 2026",
        "Về việc báo cáo kết quả rà soát các hộ nghèo năm 2026",
    )
    _registered_without_a_number(p, "", "", subjects)


def _registered_without_a_number(
    p: Province, first: str, again: str, subjects: tuple[str, str] = ("Kết quả giám sát sốt xuất huyết tuần 46",) * 2
) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", first, subjects[0])
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", again, subjects[1])


def one_arrival_number_with_zeros_in_front(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "", "Giám sát dịch")
    p.plan(p.day(4), register.add_written, "002,19/11/2026,Sở Y tế,,Tình hình dịch")


def one_paper_in_a_register_saved_anew(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), _save_with_semicolons, register)


def one_joint_paper_under_two_forms_of_its_number(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.add_line, 2, "17/11/2026", "Sở Y tế", "45/KHLN-SYT-STP", "Phối hợp tuyên truyền")
    p.plan(p.day(4), register.add_line, 3, "19/11/2026", "Sở Y tế", "45/KHLN/STP-SYT", "Kế hoạch liên ngành")


def joint_papers_of_two_units(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế - Sở Tư pháp")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", '"Sở Tư pháp\nSở Y tế"')


def papers_under_the_body_above(p: Province) -> None:
    register = p.with_register()
    p.units[0] = p.unit = replace(HEALTH, name=replace(HEALTH.name, vi="Chi cục Dân số"))
    register.enter(1, "01/10/2026", "Chi cục Dân số")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế (Chi cục Dân số)")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Chi cục Dân số - Sở Y tế")


def papers_inserted_in_the_middle(p: Province) -> None:
    register = p.with_register()
    for number, day in ((701, "12/11/2026"), (705, "13/11/2026"), (708, "16/11/2026")):
        register.enter(number, day, "Sở Tư pháp")
    p.plan(p.day(2), _insert, register, 3, "706,17/11/2026,Sở Y tế,21/BC-SYT,Giám sát sốt xuất huyết")
    p.plan(p.day(4), _insert, register, 4, "707,19/11/2026,Sở Y tế,22/KH-SYT,Tiêm vắc-xin sởi")


def register_with_the_newest_line_first(p: Province) -> None:
    register = p.with_register()
    for number in range(7, 0, -1):
        register.enter(number, f"{number + 5:02}/11/2026", "Sở Tư pháp")
    p.plan(p.day(2), _insert, register, 1, "8,17/11/2026,Sở Y tế,21/BC-SYT,Giám sát sốt xuất huyết")
    p.plan(p.day(4), _insert, register, 1, "9,19/11/2026,Sở Y tế,22/KH-SYT,Tiêm vắc-xin sởi")


def register_sorted_by_author(p: Province) -> None:
    register = p.with_register()
    for number in range(1, 8):
        register.enter(number, f"{number + 5:02}/11/2026", "Sở Tư pháp" if number % 2 else "Sở Y tế")
    for day, number in ((2, 8), (4, 9)):
        p.plan(p.day(day), register.enter, number, f"{day + 15}/11/2026", "Sở Y tế")
        p.plan(p.day(day), _sort_by_author, register)


def days_in_merged_cells(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Sở Tư pháp")
    p.plan(p.day(4), register.enter, 4, "", "Sở Y tế")


def register_of_a_new_year(p: Province) -> None:
    p.monday = date(2026, 12, 28)
    register = p.with_register()
    register.add_line(1, "05/11/2026", "Sở Y tế", "1/BC-SYT", "Tin cũ")
    p.plan(p.day(2), register.add_line, 801, "29/12/2026", "Sở Y tế", "2/BC-SYT", "Tình hình năm cũ")
    p.plan(p.day(5), register.begin_anew)
    p.plan(p.day(5), register.add_line, 1, "01/01/2027", "Sở Y tế", "2/BC-SYT", "Giám sát dịch")


def register_of_a_new_month(p: Province) -> None:
    p.monday = date(2026, 11, 30)
    register = p.with_register()
    register.enter(699, "02/11/2026", "Sở Y tế")
    p.plan(p.day(1), register.enter, 700, "30/11/2026", "Sở Y tế")
    p.plan(p.day(2, "08:00"), register.begin_anew)
    p.plan(p.day(3), register.enter, 701, "02/12/2026", "Sở Y tế")


def arrival_numbers_that_begin_anew_each_month(p: Province) -> None:
    p.monday = date(2026, 11, 30)
    register = p.with_register()
    register.add_line(1, "02/11/2026", "Sở Y tế", "600/BC-SYT", "Tình hình tháng mười")
    register.add_line(2, "03/11/2026", "Sở Y tế", "601/BC-SYT", "Giám sát sốt xuất huyết")
    p.plan(p.day(2), register.add_line, 1, "01/12/2026", "Sở Y tế", "700/BC-SYT", "Tình hình tháng mười một")
    p.plan(p.day(3), register.add_line, 2, "02/12/2026", "Sở Y tế", "701/BC-SYT", "Tiêm vắc-xin sởi")


def register_saved_in_another_encoding(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")
    p.plan(p.day(4), _save_as_utf16, register)


def register_saved_with_semicolons(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")
    p.plan(p.day(4), _save_with_semicolons, register)


def register_kept_on_in_a_file_that_is_not_named(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    other = Register(p.folder / "so-den-thang-11.csv")
    p.plan(p.day(2), other.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(4), other.enter, 3, "19/11/2026", "Sở Y tế")


def last_papers_entered_on_the_next_monday(p: Province) -> None:
    register = p.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    p.plan(p.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    p.plan(p.day(8, "14:00"), register.enter, 3, "20/11/2026", "Sở Y tế")
    p.unpolled = {p.day(9)[:10]}  # judged on Monday at noon


def register_in_arrears(p: Province) -> None:
    """Let the registrar, who enters papers each day, be away from Wednesday on: what the unit brings on Thursday waits."""
    register_until_tuesday(p)


def register_until_tuesday(p: Province) -> Register:
    register = p.with_register()
    for number in range(28):
        day = p.monday + timedelta(days=number - 28)
        if day.weekday() < 5:
            register.enter(number + 1, f"{day:%d/%m/%Y}", "Sở Tư pháp")
    p.plan(p.day(1), register.enter, 29, "16/11/2026", "Sở Tư pháp")
    p.plan(p.day(2), register.enter, 30, "17/11/2026", "Sở Y tế")
    return register


def _insert(register: Register, place: int, line: str) -> None:
    register.lines.insert(place, line)
    register.write()


def _sort_by_author(register: Register) -> None:
    register.lines[1:] = sorted(register.lines[1:], key=lambda line: line.split(",")[2:])
    register.write()


def _save_with_semicolons(register: Register) -> None:
    register.file.write_text("\r\n".join(register.lines).replace(",", ";"), "utf-8-sig")


def _save_as_utf16(register: Register) -> None:
    register.file.write_text("\n".join(register.lines).replace(",", "\t"), "utf-16")
