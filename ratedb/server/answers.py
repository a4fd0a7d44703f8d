"""What a server sends: bytes, their type, and the sizes of answers in the making."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ratedb.results import plain

JSON, HTML = "application/json", "text/html; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What is sent: its bytes, their type, and further headers."""

    content: bytes
    type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: Any) -> Answer:
    """Return a value as JSON, NaN as null."""
    return Answer(json_bytes(plain(value)), JSON)


def json_bytes(value: Any) -> bytes:
    """Return plain values as JSON."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def download(name: str) -> dict[str, str]:
    """Return the header of what a browser saves under a name."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}


def size(answer: Answer) -> int:
    """Return how many bytes are sent."""
    return len(answer.content)
