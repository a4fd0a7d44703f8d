"""What the verbs return: a frozen object that is plain values as JSON, and says in one line what it is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any


class Result:
    """Base of what verbs return, as frozen dataclasses with repr=False."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)  # type: ignore[call-overload]

    def summary(self) -> str:
        """Return in a few words what was found or done."""
        return ""

    def __repr__(self) -> str:
        words = self.summary()
        return f"<{type(self).__name__}{': ' if words else ''}{words}>"
