"""What pydantic found wrong, as one sentence that a person can act on."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from ferbench.errors import did_you_mean


def explain(error: ValidationError, schema: type[BaseModel]) -> str:
    """The first fault in `error`: where it stands, what was expected, what came, and the nearest accepted key."""
    fault = error.errors()[0]
    keys = [str(part) for part in fault["loc"]]
    place = ".".join(keys)
    if fault["type"] == "extra_forbidden":
        owner = _model_at(schema, keys[:-1])
        known = [name for name in owner.model_fields if name != "seed" or owner is schema] if owner else []
        return f"unknown key '{place}'. {did_you_mean(keys[-1], known)}"
    if fault["type"] == "missing":
        return f"the key '{place}' is missing: add it."
    expected = fault["msg"][0].lower() + fault["msg"][1:]
    return f"'{place}': {expected}; got {_shown(fault['input'])}."


def _model_at(schema: type[BaseModel], keys: list[str]) -> type[BaseModel] | None:
    owner: type[BaseModel] | None = schema
    for key in keys:
        if owner is None or key not in owner.model_fields:
            return None
        annotation = owner.model_fields[key].annotation
        candidates = [annotation, *get_args(annotation)]
        owner = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
    return owner


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
