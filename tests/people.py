"""People who do not exist, with ID numbers and phones that could be real."""

from __future__ import annotations


def id_number(n: int) -> str:
    """The n-th resident's number, with its check digit by the weights of GB 11643."""
    digits = f"41030519900101{n:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11]


def phone(n: int) -> str:
    return f"1381234{1234 + n:04d}"
