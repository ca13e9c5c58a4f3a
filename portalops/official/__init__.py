"""Official papers in the State's own form (Decree 30/2020/NĐ-CP, Annex I): drafts that officials sign and clerks number.

`paper.py` says what a paper holds, `build_<name>.py` make one purely, and each file of `formats/` writes any of them. A draft
leaves number and date blank: the clerk gives them after the paper is signed (Article 15).
"""
