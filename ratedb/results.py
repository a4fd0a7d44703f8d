"""What the verbs return: a frozen object that is plain values as JSON, and says in one line what it is."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import datetime
from typing import Any


class Result:
    """Base of what verbs return, as frozen dataclasses with repr=False."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        found: dict[str, Any] = asdict(self)  # type: ignore[call-overload]
        return found

    def summary(self) -> str:
        """Return in a few words what was found or done."""
        return ""

    def __repr__(self) -> str:
        words = self.summary()
        return f"<{type(self).__name__}{': ' if words else ''}{words}>"


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: no NaN or infinity (null), no paths, times or NumPy numbers."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)
