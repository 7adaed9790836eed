from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from ferbench.data.audit import Audit, audit
from ferbench.data.dataset import Dataset, duplicate_groups
from ferbench.report.audit import audit_tables, contact_sheet


@pytest.fixture(scope="module")
def leaky(tiny: Dataset) -> Dataset:
    """Drawn faces of which five to test on are also to be trained on, one with another label, and one is blank."""
    images, labels = tiny.test.images.copy(), tiny.test.labels.copy()
    images[:5], labels[:5] = tiny.train.images[:5], tiny.train.labels[:5]
    labels[0] = (labels[0] + 1) % 7
    images[9] = 30
    groups = duplicate_groups([*tiny.train.images, *tiny.validation.images, *images])
    return replace(tiny, test=replace(tiny.test, images=images, labels=labels, groups=groups[-len(images) :]))


@pytest.fixture(scope="module")
def found(leaky: Dataset) -> Audit:
    return audit(leaky)


def text_of(tables: tuple[Table, ...]) -> str:
    console = Console(width=140, file=io.StringIO(), record=True)
    console.print(*tables)
    return console.export_text()


def test_audit_tables_tell_what_was_found(found: Audit) -> None:
    lines = text_of(audit_tables(found)).splitlines()
    row = next(line for line in lines if " identical " in line and "one" not in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["identical", "5", "10", "5", "1"]
    assert any(f"clean test split: {found.n_clean_test} of 21" in line for line in lines)
    assert any(line.split("│")[1:2] == [" blank                 "] and " 1 " in line for line in lines)


def test_audit_tables_say_where_a_class_is_empty(leaky: Dataset) -> None:
    few = replace(leaky, validation=leaky.validation.take(np.arange(2)))
    assert "a class is empty" in text_of(audit_tables(audit(few)))


def test_contact_sheet_draws_a_page_of_each_kind(leaky: Dataset, found: Audit, tmp_path: Path) -> None:
    paths = contact_sheet(leaky, found, tmp_path / "sheets")
    kinds = {path.name for path in paths}
    assert {"identical_across_splits_1.png", "conflicting_labels_1.png", "blank_1.png"} <= kinds
    for path in paths:
        page = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert page.shape[1] == 1400 and page.std() > 10


def test_contact_sheet_stops_at_the_pages_it_may_draw(leaky: Dataset, found: Audit, tmp_path: Path) -> None:
    many = found.model_copy(update={"blank": found.blank * 200})
    paths = contact_sheet(leaky, many, tmp_path, max_pages=2)
    assert [path.name for path in paths if path.name.startswith("blank")] == ["blank_1.png", "blank_2.png"]


def test_contact_sheet_removes_pages_of_an_earlier_audit(leaky: Dataset, found: Audit, tmp_path: Path) -> None:
    (tmp_path / "blank_2.png").write_bytes(b"old")
    (tmp_path / "mine.png").write_bytes(b"kept")
    contact_sheet(leaky, found.model_copy(update={"blank": ()}), tmp_path)
    assert not list(tmp_path.glob("blank_*.png")) and (tmp_path / "mine.png").exists()


def test_contact_sheet_of_a_faultless_dataset_has_no_pages(tiny: Dataset, tmp_path: Path) -> None:
    faultless = audit(tiny, min_correlation=1.1)
    assert contact_sheet(tiny, faultless, tmp_path) == []
