"""Which e-licence stands for which paper, and until when: 电子证照 in place of what the applicant would carry here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

PERSON, ORGANISATION = "person", "organisation"

# Words for the applicant in front of a title; where somebody else is named, no licence of the applicant will do.
_OWN = ("申请人", "本人", "持卡人", "纳税人", "用水人", "业主", "现业主", "查询人", "建设单位", "经营者")
_OTHERS = re.compile(
    "父母|监护人|配偶|双方|子女|儿童|新生儿|家庭成员|产权人|收养人|经办人|代办人|代理人|法定代表人|负责人|发起人|投资人|合伙人|股东|理事"
    "|质权人|职工|人员|驾驶人"
)
_ENDINGS = re.compile("(正副本|正本|副本|原件|复印件)$")
_BRACKETS = re.compile("（[^（）]*）|\\([^()]*\\)")
_ALIASES = {
    PERSON: {"身份证": "居民身份证", "身份证件": "居民身份证", "身份证明": "居民身份证", "户口簿": "居民户口簿"},
    ORGANISATION: {"身份证明": "营业执照", "身份证件": "营业执照", "主体资格证明": "营业执照"},
}


class Validity(StrEnum):
    """What a licence is worth on a day."""

    VALID = "valid"  # 有效
    EXPIRED = "expired"  # 已过有效期
    REVOKED = "revoked"  # 已撤销


@dataclass(frozen=True, slots=True)
class Licence:
    """One e-licence of one holder. `valid_until` is the last day on which it holds, None without an end."""

    title: str
    number: str
    issuer: str
    issued_on: date
    valid_until: date | None
    revoked_on: date | None = None

    def validity(self, on: date) -> Validity:
        """Its worth on the local day `on`; the day of revocation is worth nothing any more."""
        if self.revoked_on is not None and self.revoked_on <= on:
            return Validity.REVOKED
        if self.valid_until is not None and self.valid_until < on:
            return Validity.EXPIRED
        return Validity.VALID


@dataclass(frozen=True, slots=True)
class Wanted:
    """The titles that stand for a paper: one of them is enough, or `every` one is needed."""

    titles: tuple[str, ...]
    every: bool


def wanted(material: str, holder: str) -> Wanted:
    """Which licences of a `holder` (person or organisation) stand for the material of this name.

    「营业执照或者法人证书」: one of two. 「医师资格证书、医师执业证书」: both. Remarks in brackets and 正副本 do not count.
    No titles for a paper of somebody else (父母结婚证), or where 或者 and 和 are mixed and a part proves nothing.
    """
    name = _BRACKETS.sub("", material).strip()
    either = "或" in name
    if _OTHERS.search(name) or (either and re.search("和|及", name)):
        return Wanted((), every=False)
    parts = re.split("或者|或|、|和|及", name) if either else re.split("、|以及|和|及", name)
    titles = tuple(dict.fromkeys(title for part in parts if (title := title_of(part, holder))))
    return Wanted(titles, every=not either and len(titles) > 1)


def title_of(name: str, holder: str) -> str:
    """A licence's title in its one spelling: 申请人身份证件 → 居民身份证."""
    name = _ENDINGS.sub("", _BRACKETS.sub("", name).strip())
    for own in _OWN:
        if name.startswith(own) and len(name) > len(own):
            name = name.removeprefix(own).removeprefix("的")
            break
    return _ALIASES[holder].get(name, name)


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up brought: the licences that stand for the paper, or why the ones there are do not."""

    licences: tuple[Licence, ...]
    validity: Validity | None  # None: the store knows none


def weigh(want: Wanted, known: dict[str, Licence | None], on: date) -> Found:
    """Whether what the store knows of each title is enough on the day `on`; the best licence of an either-or wins."""
    have = [licence for title in want.titles if (licence := known.get(title)) is not None]
    good = [licence for licence in have if licence.validity(on) is Validity.VALID]
    if want.every:
        if len(good) == len(want.titles):
            return Found(tuple(good), Validity.VALID)
        complete = len(have) == len(want.titles)
        bad = [licence for licence in have if licence not in good]
        return Found(tuple(bad), bad[0].validity(on)) if complete and bad else Found((), None)
    if good:
        return Found((good[0],), Validity.VALID)
    return Found((have[0],), have[0].validity(on)) if have else Found((), None)
