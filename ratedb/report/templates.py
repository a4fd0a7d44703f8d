"""HTML from templates: texts of the store are escaped and shown as they are, and no script runs but ours."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from ratedb.safe_text import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(package: str) -> Environment:
    """Return the templates of a package: every text is escaped, and hidden characters are shown."""
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    def seen(value: Any) -> Any:
        return (
            visible(value, keep="\n") if isinstance(value, str) and not isinstance(value, Markup) else value
        )

    return Environment(
        autoescape=True,
        loader=PackageLoader(package, ""),
        finalize=seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def text_of(package: str, name: str) -> str:
    """Return a file of a package, such as a style or a script."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def policy(scripts: Sequence[str], forms: str = "'none'") -> str:
    """Return the Content-Security-Policy: these scripts, by their hashes, and no connection of any kind."""
    digests = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in digests) or "'none'"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {allowed}",
            "style-src 'unsafe-inline'",  # Bokeh writes its styles at run time
            "img-src data:",
            "connect-src 'none'",
            "base-uri 'none'",
            f"form-action {forms}",
        ]
    )
