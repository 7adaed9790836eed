"""JSON that others may have written, read with suspicion: whole, of sensible size, with finite numbers only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ferbench.errors import DataError
from ferbench.validation import explain

R = TypeVar("R", bound=BaseModel)

_MOST_BYTES = 16_000_000
_LARGEST = 1e18


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: it is missing, half written, of no sensible size, or holds a number that is not finite.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path} has {path.stat().st_size / 1e6:,.0f} MB: a record has some kB, this is none.")
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        is_finite = _is_finite(content)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: the run has not finished.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged or half written ({error}): run again what wrote it.") from error
    if not is_finite:
        raise DataError(f"{path} holds a number that is not finite, or beyond all sense: run again what wrote it.")
    return content


def read_record(path: Path, schema: type[R]) -> R:
    """A record as `schema` has it.

    Raises:
        DataError: see `read_json`, or it is another kind of record.
    """
    content = read_json(path)
    try:
        return schema.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise DataError(f"{path} is no {schema.__name__} of this version: {explain(error, schema)}") from error


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(part) for part in value.values())
    if isinstance(value, list):
        return all(_is_finite(part) for part in value)
    return not isinstance(value, int | float) or (abs(value) < _LARGEST)  # false of NaN too
