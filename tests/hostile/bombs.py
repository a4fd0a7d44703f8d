"""Files that are small or cheap to make and would fill the memory; each function makes one in a folder."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import duckdb
from lamda_text import TEXT, changed
from rate_texts import CSV, KIJ, VJ

MB = 1_000_000


def _sparse(path: Path, size: int, head: bytes = b"") -> Path:
    """Make a file that begins with some bytes and goes on with nulls that take no room on the disk."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


def _packed(path: Path, content: bytes, times: int, head: bytes = b"", *, members: bool = False) -> Path:
    """Make a gzip file of a head and then the same content many times, also as members of its own."""
    pack = zlib.compressobj(9, wbits=31)
    with path.open("wb") as file:
        if members:
            file.write(gzip.compress(head) if head else b"")
            file.write(gzip.compress(content) * times)
            return path
        file.write(pack.compress(head))
        for _ in range(times):
            file.write(pack.compress(content))
        file.write(pack.flush())
    return path


def _parquet(path: Path, rows: int) -> Path:
    """Make a Parquet file whose footer claims another number of rows than it has."""
    source = path.with_suffix(".source.csv")
    source.write_text(CSV)
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM read_csv('{source}')) TO '{path}' (FORMAT parquet)")
    content = bytearray(path.read_bytes())
    length = struct.unpack("<I", content[-8:-4])[0]
    footer = bytes(content[-8 - length : -8])
    # The counts of four rows are varints in the zigzag form: 8; thrift writes them as one byte.
    changed_footer = footer.replace(b"\x16\x08", b"\x16" + _varint(2 * rows))
    assert changed_footer != footer
    path.write_bytes(
        bytes(content[: -8 - length]) + changed_footer + struct.pack("<I", len(changed_footer)) + b"PAR1"
    )
    return path


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _lines(path: Path, head: str, line: str, size: int) -> Path:
    """Make a text of a head and then the same line until it has a size."""
    many = line.encode() * (MB // len(line))
    with path.open("wb") as file:  # in pieces: a child begins with the memory of this process
        file.write(head.encode())
        for _ in range(size // len(many)):
            file.write(many)
    return path


LAMDA_HEAD = TEXT.partition("!NUMBER OF COLL TRANS")[0]
MANY = changed(("!NUMBER OF ENERGY LEVELS\n3\n", "!NUMBER OF ENERGY LEVELS\n1000000000\n"))
BOMBS: dict[str, Callable[[Path], Path]] = {
    "gzip of zeros": lambda to: _packed(to / "a.gz", bytes(MB), 2000),
    "gzip of one line": lambda to: _packed(to / "a.gz", b"1" * MB, 2000, b"!MOLECULE\nCO\n"),
    "gzip of short lines": lambda to: _packed(to / "a.gz", b"ab\n" * 300_000, 2000, LAMDA_HEAD.encode()),
    "gzip of many members": lambda to: _packed(to / "a.gz", b"ab\n" * 300_000, 3000, members=True),
    "gzip of empty members": lambda to: _packed(to / "a.gz", b"", 500_000, members=True),
    "gzip of gzip": lambda to: _packed(to / "a.gz", gzip.compress(bytes(MB)), 100_000),
    "gzip of a table": lambda to: _packed(
        to / "a.gz", b"CO,He,0,1,0,0,10,1e-11\n" * 40_000, 1000, CSV.encode()
    ),
    "2 GB in one line": lambda to: _sparse(to / "a.dat", 2000 * MB, b"!MOLECULE"),
    "5 GB of zeros": lambda to: _sparse(to / "a.dat", 5000 * MB),
    "49 MB of zeros": lambda to: _sparse(to / "a.dat", 49 * MB),
    "49 MB in one line": lambda to: _lines(to / "a.dat", "!MOLECULE\n", "1", 49 * MB),
    "49 MB of short lines": lambda to: _lines(to / "a.dat", LAMDA_HEAD, "1\n", 49 * MB),
    "49 MB of lines": lambda to: _lines(to / "a.dat", LAMDA_HEAD, f"{'1 ' * 40}\n", 49 * MB),
    "49 MB of a line of a table": lambda to: _lines(to / "a.kij", KIJ, "  9 9 1.0e-10\n" * 5, 49 * MB),
    "49 MB of v and J": lambda to: _lines(to / "a.dat", VJ, "0 1 0 0 1.0e-10 2.0e-10 " * 4 + "\n", 49 * MB),
    "49 MB of blanks": lambda to: _lines(to / "a.dat", "", " " * 79 + "\n", 49 * MB),
    "a billion levels": lambda to: _written(to / "a.dat", MANY),
    "a billion partners": lambda to: _written(
        to / "a.dat", changed(("!NUMBER OF COLL PARTNERS\n1\n", "!NUMBER OF COLL PARTNERS\n1000000000\n"))
    ),
    "a billion temperatures": lambda to: _written(
        to / "a.dat", changed(("!NUMBER OF COLL TEMPS\n2\n", "!NUMBER OF COLL TEMPS\n1000000000\n"))
    ),
    "a billion transitions": lambda to: _written(
        to / "a.dat", changed(("!NUMBER OF COLL TRANS\n3\n", "!NUMBER OF COLL TRANS\n1000000000\n"))
    ),
    "a level number of a billion": lambda to: _written(
        to / "a.dat", changed(("    3    11.534919938", "999999999    11.534919938"))
    ),
    "a million columns": lambda to: _written(
        to / "a.csv", ",".join(["temperature_k,rate_cm3_s", *(f"c{n}" for n in range(10**6))]) + "\n"
    ),
    "many short columns": lambda to: _written(
        to / "a.csv", "temperature_k,rate_cm3_s" + ",a" * 30_000 + "\n1,1\n"
    ),
    "a table of one line": lambda to: _lines(to / "a.csv", CSV, "1", 300 * MB),
    "a table with an open quote": lambda to: _lines(to / "a.csv", CSV + '"', "CO,He,0,1\n", 30 * MB),
    "a trillion rows": lambda to: _parquet(to / "a.parquet", 10**12),
    "rows below zero": lambda to: _parquet(to / "a.parquet", 2**62),
    "device": lambda to: Path("/dev/zero"),
    "link to a device": lambda to: _linked(to / "a.dat", "/dev/zero"),
    "pipe": lambda to: _pipe(to / "a.dat"),
    "folder": lambda to: to,
    "loop of links": lambda to: _linked(to / "a.dat", "a.dat"),
    "memory of the process": lambda to: Path("/proc/self/mem"),
}


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _linked(path: Path, to: str) -> Path:
    path.symlink_to(to)
    return path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path
