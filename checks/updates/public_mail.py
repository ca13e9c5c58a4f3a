"""Domains whose addresses anybody can have: a sender's says nothing of where he works. Pure.

These are the mail services that the providers themselves offer to the public: Google, Microsoft, Yahoo and AOL, Apple, Zoho, Proton, GMX,
mail.com, Mail.ru and Yandex, and in Viet Nam VNPT (vnn.vn, with a name for each province) and FPT. A list is never whole: of a domain that
is missing here, addresses of one unit make the others open for that unit, and count for nobody.
"""

from __future__ import annotations

_PROVIDERS = frozenset(
    (
        "gmail.com", "googlemail.com", "outlook.com", "outlook.com.vn", "hotmail.com", "hotmail.com.vn", "live.com", "msn.com", "yahoo.com",
        "yahoo.com.vn", "ymail.com", "rocketmail.com", "aol.com", "icloud.com", "me.com", "mac.com", "zoho.com", "zohomail.com", "proton.me",
        "protonmail.com", "pm.me", "gmx.com", "gmx.net", "mail.com", "mail.ru", "yandex.com", "yandex.ru", "fpt.vn", "vnn.vn",
    )
)  # fmt: skip


def is_public_mail(domain: str) -> bool:
    """Say whether anybody can have an address of a domain, or of one above it.

    >>> [is_public_mail(domain) for domain in ("Gmail.com", "dng.vnn.vn", "soyte.khanhhoa.gov.vn")]
    [True, True, False]
    """
    labels = domain.casefold().rstrip(".").split(".")
    return any(".".join(labels[at:]) in _PROVIDERS for at in range(len(labels)))
