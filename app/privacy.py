"""What protects people: sealed fields, blind indexes, tokens, and the one way to mask."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# why one looks at what is masked: 核对身份 · 联系申请人 · 更正信息 · 送达
REASONS = ("verify", "contact", "correct", "deliver")


class Unsealable(Exception):
    """A sealed value that no key of ours opens, or that was moved from another place."""


@dataclass(frozen=True)
class Keyring:
    """Keys derived from the secret; the first seals, the others only open."""

    secrets: tuple[str, ...]

    def derive(self, secret: str, purpose: str) -> bytes:
        return _derive(secret, purpose)

    @property
    def current(self) -> str:
        return self.secrets[0]


@lru_cache(maxsize=64)
def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"yichuang", info=purpose.encode()).derive(secret.encode())


@lru_cache(maxsize=16)
def _key_id(secret: str) -> str:
    return hashlib.sha256(b"key-id" + _derive(secret, "key-id")).hexdigest()[:8]


@lru_cache(maxsize=16)
def _cipher(secret: str) -> AESGCM:
    return AESGCM(_derive(secret, "field"))


_keyring = Keyring(("",))


def use_keys(secret: str, fallbacks: tuple[str, ...] = ()) -> None:
    """Set the process's keys, once, when the app is made."""
    global _keyring
    _keyring = Keyring((secret, *fallbacks))


def seal(text: str, context: str) -> str:
    """AES-256-GCM of `text`, bound to `context` (table, column, row), as `keyid.base64`."""
    nonce = os.urandom(12)
    box = _cipher(_keyring.current).encrypt(nonce, text.encode(), context.encode())
    return f"{_key_id(_keyring.current)}.{base64.urlsafe_b64encode(nonce + box).decode()}"


def open_sealed(sealed: str, context: str) -> str:
    """The text of a sealed value. Raises Unsealable when the key or the place is not the one it was sealed for."""
    key_id, _, encoded = sealed.partition(".")
    for secret in _keyring.secrets:
        if _key_id(secret) == key_id:
            raw = base64.urlsafe_b64decode(encoded)
            try:
                return _cipher(secret).decrypt(raw[:12], raw[12:], context.encode()).decode()
            except InvalidTag as error:
                raise Unsealable(context) from error
    raise Unsealable(f"no key {key_id}")


def blind_index(kind: str, value: str) -> str:
    """A keyed digest that finds equal values without revealing them. `kind` separates ID numbers from phones.

    The oldest key is used, so that rotating the first one does not lose anybody.
    """
    plain = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", value)).upper()
    key = _derive(_keyring.secrets[-1], f"index:{kind}")
    return hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()[:40]


def chain_key() -> bytes:
    """The key of the record's HMAC chain; the oldest one, so that a rotation does not break the chain."""
    return _derive(_keyring.secrets[-1], "chain")


def new_token() -> str:
    """An unguessable name, 128 bits, fit for a URL."""
    return secrets.token_urlsafe(16)


CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_code(length: int) -> str:
    """A code that a person can type: no 0/O, no 1/I."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))


def token_hash(token: str) -> str:
    """What is stored of a token: enough to recognise it, nothing to use."""
    return hashlib.sha256(token.encode()).hexdigest()


def mask_name(name: str) -> str:
    """张*三; two characters 张*; one character *. A company name keeps its first two and last two characters."""
    name = name.strip()
    if len(name) <= 1:
        return "*" * len(name)
    if len(name) == 2:
        return name[0] + "*"
    if len(name) >= 6:
        return name[:2] + "*" * (len(name) - 4) + name[-2:]
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_id(number: str) -> str:
    """First and last character of an ID number, the rest starred."""
    number = number.strip()
    return number if len(number) < 3 and not number else number[:1] + "*" * max(len(number) - 2, 1) + number[-1:]


def mask_address(address: str) -> str:
    """开元大道****: the first four characters; anything as short as that is starred whole."""
    address = address.strip()
    return f"{address[:4]}****" if len(address) > 4 else "****"


def mask_phone(phone: str) -> str:
    """138****1234; anything shorter than seven characters is starred whole."""
    phone = phone.strip()
    return "*" * len(phone) if len(phone) < 7 else phone[:3] + "****" + phone[-4:]
