"""A receiver's signature 签名: a small PNG drawn on the pad, let in only when it is exactly that."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib

LONGEST = 60_000  # characters of the data URL
WIDEST, HIGHEST = 2000, 1000  # pixels
_PREFIX = "data:image/png;base64,"
_MAGIC = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type → samples a pixel


def read_signature(data_url: str) -> bytes:
    """The PNG of a data URL. Raises ValueError for anything else: another format, a broken or oversized picture.

    Every chunk is checked against its sum, and the pixels must be exactly as many as the header says, so that a few
    bytes cannot swell into a large picture when the paper is drawn.
    """
    if len(data_url) > LONGEST or not data_url.startswith(_PREFIX):
        raise ValueError("not a PNG data URL of at most 60 kB")
    try:
        png = base64.b64decode(data_url.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    chunks = _chunks(png)
    header = chunks[0][1]
    if chunks[0][0] != b"IHDR" or chunks[-1] != (b"IEND", b"") or len(header) != 13:
        raise ValueError("not a PNG from header to end")
    width, height, depth, colour, _compression, _filter, interlace = struct.unpack(">IIBBBBB", header)
    if not (1 <= width <= WIDEST and 1 <= height <= HIGHEST) or depth != 8 or colour not in _CHANNELS or interlace:
        raise ValueError("not a picture that a pad draws")
    size = (1 + width * _CHANNELS[colour]) * height
    if _inflated(b"".join(body for kind, body in chunks if kind == b"IDAT"), size + 1) != size:
        raise ValueError("not as many pixels as the header says")
    return png


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """(kind, body) of every chunk up to the last byte; at least one."""
    if not png.startswith(_MAGIC):
        raise ValueError("not a PNG")
    chunks, place = [], len(_MAGIC)
    while place < len(png):
        if place + 12 > len(png):
            raise ValueError("a chunk is cut off")
        (length,) = struct.unpack_from(">I", png, place)
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length
        if place > len(png) or struct.unpack_from(">I", png, place - 4)[0] != zlib.crc32(kind + body):
            raise ValueError("a chunk is broken")
        chunks.append((kind, body))
    if not chunks:
        raise ValueError("an empty PNG")
    return chunks


def _inflated(data: bytes, most: int) -> int:
    """How many bytes the data unpacks to, counted no further than `most`."""
    try:
        return len(zlib.decompressobj().decompress(data, most))
    except zlib.error as error:
        raise ValueError("pixels cannot be unpacked") from error
