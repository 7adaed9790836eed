"""Tables as people pass them on: a CSV file, plain or packed as .gz, .xz, .zip or .tar, read row by row.

Nothing is unpacked to disk. Every way in which such a file can be bad becomes a DataError that names the line.
"""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

from ferbench.errors import DataError
from ferbench.types import ProgressHook

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})
"""Endings of picture files, in lower case."""

_DAMAGED = (EOFError, struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile)
_ROWS_A_REPORT = 500
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is looked for: what a person would call it, and the file names it goes by inside an archive."""

    title: str
    names: tuple[str, ...]


class BadRowError(ValueError):
    """What is wrong with one row, without its line number."""


def read_table(
    path: Path,
    table: Table,
    parser_of: Callable[[list[str]], Callable[[list[str]], _Row]],
    on_progress: ProgressHook,
) -> Iterator[_Row]:
    """The rows of a CSV file, parsed one by one; blank lines are passed over.

    Args:
        path: The file, as it is or packed.
        table: What it should be.
        parser_of: Given the fields of the first line, gives what makes a value of each later line's fields; both
            raise BadRowError for what they cannot use.
        on_progress: Called as reading goes on, with bytes of the file read and in all.

    Raises:
        DataError: the file is missing, damaged, not text, or has a bad row; the message names the line.
    """
    stage, n_rows = f"reading {path.name}", 0
    with _open_text(path, table) as (text, raw, size_bytes):
        reader = csv.reader(text)
        try:
            parse = parser_of(next(reader, []))
            for fields in reader:
                if not fields:
                    continue
                yield parse(fields)
                n_rows += 1
                if n_rows % _ROWS_A_REPORT == 0:
                    on_progress(stage, min(raw.tell(), size_bytes), size_bytes)
        except _DAMAGED as error:
            raise DataError(f"{path} is damaged after line {reader.line_num}: download it again.") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not text after line {reader.line_num}: give {table.title}.") from error
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: {error}: give {table.title}.") from error
        except BadRowError as error:
            raise DataError(f"{path}, line {max(reader.line_num, 1)}: {error}") from None
        except OSError as error:
            raise DataError(
                f"{path} cannot be read after line {reader.line_num}: {error.strerror or error}."
            ) from error
    on_progress(stage, size_bytes, size_bytes)


def column_numbers(header: list[str], wanted: tuple[str, ...], advice: str) -> list[int]:
    """Where the wanted columns stand, whatever their case and order.

    Raises:
        BadRowError: one is missing.
    """
    names = [name.strip().lower() for name in header]
    if not {name.lower() for name in wanted} <= set(names):
        found = ", ".join(repr(name[:20])[1:-1] for name in names[:5]) or "nothing"
        raise BadRowError(f"expected the columns {', '.join(wanted)}, found {found}: {advice}.")
    return [names.index(name.lower()) for name in wanted]


@contextmanager
def _open_text(path: Path, table: Table) -> Iterator[tuple[IO[str], IO[bytes], int]]:
    """The CSV file inside `path` as text, with the outer file, whose position tells how far reading has come."""
    if path.is_dir():
        raise DataError(f"{path} is a folder, expected a file: give the path of {table.title}.")
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
            size_bytes = path.stat().st_size
            content = _unpacked(path, raw, table, stack)
        except FileNotFoundError:
            raise DataError(f"{path} does not exist: give the path of {table.title}.") from None
        except _DAMAGED as error:
            raise DataError(f"{path} is damaged: download it again.") from error
        except DataError:
            raise
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"{path} cannot be read: {str(error).rstrip('.')}.") from error
        yield stack.enter_context(io.TextIOWrapper(content, "utf-8-sig", newline="")), raw, size_bytes


def _unpacked(path: Path, raw: IO[bytes], table: Table, stack: ExitStack) -> IO[bytes]:
    """The bytes of the CSV file, whatever it is packed in, told by the first bytes and not by the name."""
    start = raw.read(6)
    raw.seek(0)
    if not start:
        raise DataError(f"{path} is empty: download it again.")
    if start.startswith(b"PK"):
        archive = stack.enter_context(zipfile.ZipFile(raw))
        return stack.enter_context(archive.open(_member(path, archive.namelist(), table)))
    content: Any = raw
    if start.startswith(b"\x1f\x8b"):
        content = stack.enter_context(gzip.GzipFile(fileobj=raw))
    elif start.startswith(b"\xfd7zXZ"):
        content = stack.enter_context(lzma.open(raw))  # noqa: SIM115 - the stack closes it
    if path.name.endswith((".tar", ".tar.gz", ".tgz", ".tar.xz")):
        tar = stack.enter_context(tarfile.TarFile(fileobj=content))
        for member in tar:
            if member.isfile() and PurePosixPath(member.name).name in table.names:
                return stack.enter_context(tar.extractfile(member) or io.BytesIO())
        raise _holds_none(path, table)
    return io.BufferedReader(content)


def _member(path: Path, names: list[str], table: Table) -> str:
    for wanted in table.names:
        for name in names:
            if PurePosixPath(name).name == wanted:
                return name
    others = [name for name in names if name.endswith(".csv") and not name.startswith("__MACOSX/")]
    if len(others) == 1:
        return others[0]
    if any(PurePosixPath(name).suffix.lower() in PICTURES for name in names):
        raise DataError(f"{path} holds pictures: unpack it, and give the folder.")
    raise _holds_none(path, table)


def _holds_none(path: Path, table: Table) -> DataError:
    return DataError(f"{path} holds no {' or '.join(table.names)}: give the CSV file itself.")
