"""The description of the query API in the OpenAPI format, made of what endpoints.py declares."""

from __future__ import annotations

from typing import Any

from ratedb import __version__
from ratedb.server.endpoints import ENDPOINTS, Endpoint, Parameter

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["what"],
            "properties": {
                "what": {"type": "string", "description": "What happened."},
                **{
                    name: {"type": ["string", "null"], "description": words}
                    for name, words in (
                        ("where", "Where it happened."),
                        ("expected", "What was expected."),
                        ("got", "What was found."),
                        ("todo", "What to do."),
                    )
                },
            },
        }
    },
}
_REFUSED = {
    "400": "The query is invalid.",
    "404": "The store has no such system.",
    "413": "The answer would be larger than this server sends.",
    "422": "The data do not allow this answer, such as a temperature outside the range of the rates.",
    "503": "Too many queries, or the store is in use; ask again.",
}


def description(title: str) -> dict[str, Any]:
    """Return the API as an OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{title}: rate coefficients",
            "version": __version__,
            "description": "Rate coefficients in cm3 s-1, temperatures in K, energies in cm-1. Reading only.",
        },
        "paths": {one.path: {"get": _operation(one)} for one in ENDPOINTS},
        "components": {"schemas": {"Error": _ERROR}},
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "operationId": endpoint.path.rpartition("/")[2],
        "summary": endpoint.summary,
        "parameters": [_parameter(one) for one in endpoint.parameters],
        "responses": {
            "200": {
                "description": endpoint.summary,
                "content": {
                    name: {"schema": {"type": "object"} if name.endswith("json") else {"type": "string"}}
                    for name in endpoint.types
                },
            },
            **{code: {"description": words, "content": error} for code, words in _REFUSED.items()},
        },
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": "query",
        "required": one.required,
        "description": one.help,
        "schema": dict(one.schema),
    }
