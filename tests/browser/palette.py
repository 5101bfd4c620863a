"""Write a PNG of the browser with a palette of 128 colours: a third of its size, and no difference to see on a page."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST = 128
Colour = tuple[int, ...]


def with_palette(png: bytes) -> bytes:
    """Return the picture with its most frequent colours; each other colour becomes the most similar of them."""
    width, height, pixels = decoded(png)
    counted = Counter(pixels)
    palette = [colour for colour, _ in counted.most_common(MOST)]
    places = {colour: at for at, colour in enumerate(palette)}
    for colour in counted:
        if colour not in places:
            places[colour] = min(range(len(palette)), key=lambda at: distance(palette[at], colour))
    indexes = bytes(places[colour] for colour in pixels)
    rows = b"".join(b"\0" + indexes[at : at + width] for at in range(0, width * height, width))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", b"".join(bytes(colour) for colour in palette)),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        )
    )


def distance(one: Colour, other: Colour) -> int:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2


def decoded(png: bytes) -> tuple[int, int, list[Colour]]:
    """Return width, height and the red, green and blue of each pixel, of a PNG without interlace."""
    chunks = list(chunks_of(png))
    width, height, depth, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    assert depth == 8
    step = {2: 3, 6: 4}[kind]
    data = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    pixels: list[Colour] = []
    above = bytearray(width * step)
    for start in range(0, len(data), width * step + 1):
        line = bytearray(data[start + 1 : start + 1 + width * step])
        unfiltered(data[start], line, above, step)
        pixels += zip(line[::step], line[1::step], line[2::step], strict=True)
        above = line
    return width, height, pixels


def chunks_of(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def unfiltered(kind: int, line: bytearray, above: bytearray, step: int) -> None:
    """Undo the filter of a line in place (PNG specification, section 9)."""
    for at in range(len(line) if kind else 0):
        left, corner = (line[at - step], above[at - step]) if at >= step else (0, 0)
        predicted = (0, left, above[at], (left + above[at]) // 2, 0)[kind]
        if kind == 4:
            guess = left + above[at] - corner
            predicted = min((left, above[at], corner), key=lambda one: abs(guess - one))
        line[at] = (line[at] + predicted) & 255
