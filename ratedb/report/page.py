"""A page of systems: one HTML file with everything in it, which needs no network and may use none."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

from ratedb import __version__
from ratedb.origin import library_versions
from ratedb.report import figures, sections
from ratedb.report.contents import SystemContents
from ratedb.report.embedding import as_json, embedded
from ratedb.report.errors_by_state import errors_by_state
from ratedb.report.installed import need_report
from ratedb.report.plans import words_of_plan
from ratedb.report.templates import environment, policy, text_of

_HERE = "ratedb.report"


def render_page(systems: Sequence[SystemContents]) -> str:
    """Return the page of some systems as HTML; raises RatedbError without Bokeh."""
    need_report()
    from markupsafe import Markup

    templates = environment(_HERE)
    templates.filters |= {"digits": _digits, "factor": _factor}
    scripts = [_bokeh_script(), text_of(_HERE, "page.js")]
    common = {"map": figures.map_item(), "curve": figures.curve_item()}
    shown = [_system(number, contents) for number, contents in enumerate(systems)]
    return templates.get_template("page.html").render(
        title=f"{', '.join(one.system for one in systems)}: rate coefficients",
        policy=policy(scripts),
        style=Markup(text_of(_HERE, "page.css")),
        scripts=[Markup(script) for script in scripts],
        data=Markup(as_json([embedded(one) for one in systems])),
        systems=shown,
        # One of each for all systems: the page's script gives them their numbers.
        common={name: Markup(as_json(item)) for name, item in common.items()},
        most_findings=sections.MOST_FINDINGS,
        versions={"ratedb": __version__, **library_versions(), "bokeh": metadata.version("bokeh")},
    )


def _system(number: int, contents: SystemContents) -> dict[str, Any]:
    """Return what the template says of one system."""
    from markupsafe import Markup

    errors = errors_by_state(contents)
    plan = None if contents.plan is None else words_of_plan(contents.plan)
    items: dict[str, Any] = {}
    if errors is not None and len(errors.rows) > 1:
        items["error"] = figures.error_item(errors.names, errors.by_j, errors.series)
    if plan is not None and plan.cost:
        items["plan"] = figures.plan_item(plan.cost, plan.error, plan.chosen)
    return {
        "number": number,
        **sections.facts(contents),
        "errors": errors,
        "why_not_measured": contents.test if isinstance(contents.test, str) else None,
        "plan": plan,
        "findings": sections.findings(contents),
        "sources": sections.sources(contents),
        "models": contents.models,
        "citations": sections.citations(contents),
        "affected": contents.affected,
        "newer_models": sections.newer_models(contents),
        "sha256": contents.best.sha256(),
        "items": {name: Markup(as_json(item)) for name, item in items.items()},
    }


def _bokeh_script() -> str:
    """Return Bokeh's script without widgets."""
    from bokeh.resources import Resources

    script = str(Resources(mode="inline", components=["bokeh"]).js_raw[0])
    return script.replace("</script", "<\\/script").replace("\r\n", "\n")  # as a browser hashes it


def _digits(value: float | None, digits: int = 4) -> str:
    """Return a number to some significant digits, a dash where there is none."""
    return "\u2013" if value is None else f"{value:.{digits}g}"


def _factor(value: Any) -> str:
    """Return a cell of a table: numbers that are no counts to four digits."""
    return _digits(value) if isinstance(value, float) or value is None else str(value)
