"""Whether a program sent a mail by itself, by the mail's headers. Pure.

`Auto-Submitted` says so (RFC 3834, section 5), and many programs that answer for somebody absent leave it out. They write `Precedence: auto_reply`,
`X-Autoreply` or `X-Autorespond`, which no mail of a person has. `Precedence: bulk` and `junk` (RFC 2076, section 3.9) and an empty return
path (RFC 3834, section 3; RFC 5321, section 4.5.5) stand on such answers too, but also on what office systems send for a person. So these
are taken for generated mail: it is open where it brings a text. So is a subject that begins as programs write it. A mailing list writes `Precedence` as well, and names itself
by headers of its own (RFC 2369, RFC 2919): what it passes on is a person's.

`X-Auto-Response-Suppress` is passed over. It asks others not to answer (MS-OXCMAIL, section 2.1.3.2.20), and stands on ordinary mail.
"""

from __future__ import annotations

import re
import unicodedata
from email.message import Message as Mail

REPLIED, GENERATED = "auto-replied", "auto-generated"
MAX_WORD = 200
"""Characters of a word that are kept."""
_ENDS = re.compile(r"[\s;(]")
_ANSWERS = frozenset({"auto_reply", "auto-reply"})
_MASS = frozenset({"bulk", "junk"})
_RESPONDERS = ("X-Autoreply", "X-Autorespond")
_LISTS = ("List-Id", "List-Post", "List-Unsubscribe", "List-Help", "List-Subscribe", "List-Owner", "List-Archive")


def automatic_word(mail: Mail) -> str:
    """Return by which word of RFC 3834 a program sent a mail; empty where no header says so, or one says that a person did.

    >>> from email import message_from_string
    >>> heads = ("Auto-Submitted: no\\nPrecedence: bulk", "Precedence: bulk", "Precedence: bulk\\nList-Id: <tin.khanhhoa.example>", "X-Autoreply: yes")
    >>> [automatic_word(message_from_string(f"{head}\\n\\n")) for head in heads]
    ['', 'auto-generated', '', 'auto-replied']
    """
    if said := _word(mail, "Auto-Submitted"):
        return "" if said == "no" else said
    precedence = {_word(mail, "Precedence"), _word(mail, "X-Precedence")}
    if precedence & _ANSWERS or any(_word(mail, name) not in {"", "no"} for name in _RESPONDERS):
        return REPLIED
    if any(name in mail for name in _LISTS):
        return ""
    is_unanswerable = "".join(str(mail.get("Return-Path", "")).split()) == "<>"
    return GENERATED if precedence & _MASS or is_unanswerable else ""


def word_of_subject(subject: str) -> str:
    """Return `GENERATED` where a subject begins as mail programs begin those of receipts, answers to invitations and recalls; else nothing.

    >>> [word_of_subject(one) for one in ("Đã đọc: Tin tuần 47", "Automatic reply: Họp", "Re: Tin tuần 47")]
    ['auto-generated', 'auto-generated', '']
    """
    return GENERATED if _BY_PROGRAM.match(unicodedata.normalize("NFC", subject)) else ""


_BY_PROGRAM = re.compile(
    r"\W*(?:accepted|declined|tentative(?:ly accepted)?|automatic reply|auto(?:matic)?[- ]?response|out of office|read|recall|undeliverable"
    r"|đã chấp nhận|đã từ chối|dự kiến|trả lời tự động|tự động trả lời|vắng mặt|đã đọc|thu hồi)\s*:",
    re.IGNORECASE,
)


def _word(mail: Mail, name: str) -> str:
    """Return the first word of a header, folded, without comments and parameters; empty where there is none."""
    return _ENDS.split(str(mail.get(name, "")).strip().lower(), maxsplit=1)[0][:MAX_WORD]
