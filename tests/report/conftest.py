"""Finished runs made up of random predictions, and a Chromium that is spoken to over a pipe (DevTools protocol)."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ferbench.config import Component, DatasetComponent, ExperimentConfig
from ferbench.data.dataset import DatasetCard, Split
from ferbench.engines.record import Form, Survey, Timing
from ferbench.environment import Environment
from ferbench.metrics import score
from ferbench.results import (
    Cost,
    LedgerLine,
    Protocol,
    RecognizerCard,
    RunResult,
    note_test_scoring,
    now,
    read_result,
    result_directory,
    write_predictions,
    write_result,
)
from ferbench.timing import Latency

CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
N_FACES = 140
MakeRun = Callable[..., Path]
ENVIRONMENT = Environment.capture()


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    return folder


@pytest.fixture
def make_run(reports: Path) -> MakeRun:
    """Write a finished run of made-up predictions; returns its folder."""

    def make(
        name: str = "hog_svm",
        *,
        family: str = "classical",
        skill: float = 0.5,
        seed: int = 0,
        dataset: str = "fer2013",
        fingerprint: str = "f" * 64,
        classes: tuple[str, ...] = CLASSES,
        with_test: bool = True,
        n_faces: int = N_FACES,
        first_row: int = 0,
        params: dict[str, Any] | None = None,
        n_epochs: int = 0,
        is_synthetic: bool = False,
        recognizer: str | None = None,
    ) -> Path:
        splits = {one: split_of(n_faces, len(classes), first_row + 10_000 * place) for place, one in enumerate(SPLITS)}
        said = {
            one: predictions_of(split, len(classes), skill, [*name.encode(), seed]) for one, split in splits.items()
        }
        config = ExperimentConfig(
            name=name,
            seed=seed,
            dataset=DatasetComponent(name=dataset),
            recognizer=Component(name=recognizer or name, params=params or {}),
        )
        scores = {one: score(split.labels, said[one], classes, groups=split.groups) for one, split in splits.items()}
        clean = splits["test"].take(np.arange(0, n_faces, 2))
        key = config.result_key(fingerprint, "0")
        result = RunResult(
            config=config,
            config_hash=key,
            dataset=DatasetCard(
                name=dataset,
                classes=classes,
                fingerprint=fingerprint,
                is_synthetic=is_synthetic,
                n_train=1000,
                n_validation=n_faces,
                n_test=n_faces,
                n_clean_test=len(clean),
                counts={
                    one: dict(zip(classes, split.counts(len(classes)).tolist(), strict=True))
                    for one, split in splits.items()
                },
            ),
            protocol=Protocol(choices={"c": 0.1}, test_scorings=int(with_test), resumed=False),
            recognizer=RecognizerCard(
                name=recognizer or name, family=family, classes=classes, image_size=(48, 48), params=params or {}
            ),
            validation=scores["validation"],
            test=scores["test"] if with_test else None,
            clean_test=score(clean.labels, said["test"][::2], classes, groups=clean.groups) if with_test else None,
            cost=Cost(
                n_parameters=1000,
                size_bytes=140_000,
                fit_seconds=12.0,
                fit_cpu_seconds=10.0,
                peak_memory_bytes=500_000_000,
                n_cores=2,
                latency=(latency_of(1.0),),
            ),
            curve=tuple(
                {"accuracy": 0.2 + 0.01 * epoch, "validation_accuracy": 0.2 + 0.008 * epoch}
                for epoch in range(n_epochs)
            ),
            environment=ENVIRONMENT,
            created_at=now(),
        )
        directory = result_directory(reports, config)
        directory.mkdir(parents=True)
        kept = SPLITS if with_test else SPLITS[:1]
        write_predictions(directory / "predictions.npz", classes, {one: (splits[one], said[one]) for one in kept})
        write_result(result, directory)
        if with_test:
            line = LedgerLine(
                when=now(),
                reason="run",
                config_hash=key,
                experiment=name,
                recognizer=name,
                dataset=dataset,
                classes=classes,
                seed=seed,
                n=n_faces,
                accuracy=scores["test"].accuracy,
                clean_accuracy=None,
                commit=None,
            )
            note_test_scoring(reports, line)
        return directory

    return make


@pytest.fixture
def make_survey(reports: Path) -> Callable[..., Survey]:
    """Time runs in one run: `p50_ms` by experiment, accuracies from their results; `forms` are added as they are."""

    def make(
        p50_ms: dict[str, float], *, fingerprint: str = "f" * 64, forms: tuple[Form, ...] = (), name: str = "engines"
    ) -> Survey:
        found = []
        for experiment, median in p50_ms.items():
            result = read_result(next(reports.glob(f"{experiment}/*/seed*/result.json")))
            engine = "keras" if result.recognizer.family == "deep" else "native"
            found.append(form_of(experiment, engine, "float32", result.validation.accuracy, median))
        survey = Survey(
            dataset="fer2013",
            fingerprint=fingerprint,
            is_synthetic=False,
            n=N_FACES,
            threads=(1, 2),
            forms=(*found, *forms),
            left_out={},
            environment=ENVIRONMENT,
            created_at=now(),
        )
        (reports / "engines").mkdir(exist_ok=True)
        (reports / "engines" / f"{name}.json").write_text(survey.model_dump_json())
        return survey

    return make


def form_of(recognizer: str, engine: str, precision: str, accuracy: float, p50_ms: float) -> Form:
    """A form that is half as fast with two threads."""
    return Form(
        recognizer=recognizer,
        engine=engine,
        precision=precision,
        accuracy=accuracy,
        macro_f1=accuracy,
        size_bytes=1000,
        load_seconds=1.0,
        memory_bytes=30_000_000,
        verdict=None,
        timings=(
            Timing(threads=1, single=latency_of(p50_ms), batch=latency_of(p50_ms)),
            Timing(threads=2, single=latency_of(2 * p50_ms), batch=latency_of(2 * p50_ms)),
        ),
    )


def latency_of(p50_ms: float) -> Latency:
    return Latency(
        batch_size=1,
        n=1000,
        p50_ms=p50_ms,
        p90_ms=1.2 * p50_ms,
        p95_ms=1.3 * p50_ms,
        p99_ms=2 * p50_ms,
        images_per_second=1000 / p50_ms,
    )


SPLITS = ("validation", "test")


def split_of(n: int, n_classes: int, first_row: int) -> Split:
    """Faces of which every seventh pair is one picture twice."""
    rows = first_row + np.arange(n)
    groups = np.where(rows % 14 == 1, rows - 1, rows)
    return Split(np.zeros((n, 4, 4), np.uint8), np.arange(n) % n_classes, rows, groups)


def predictions_of(split: Split, n_classes: int, skill: float, seed: list[int]) -> np.ndarray:
    rng = np.random.default_rng([*seed, int(split.rows[0])])
    stated = rng.dirichlet(np.ones(n_classes), len(split))
    is_right = rng.random(len(split)) < skill
    wanted = np.where(is_right, split.labels, rng.integers(0, n_classes, len(split)))
    stated[np.arange(len(split)), wanted] += 1.0
    return (stated / stated.sum(axis=1, keepdims=True)).astype(np.float32)


class Browser:
    """One page of a headless Chromium.

    Attributes:
        complaints: What the console said, and exceptions, since the page was opened.
        requests: Addresses asked for since then.
    """

    def __init__(self, folder: Path) -> None:
        to_read, self._out = os.pipe()
        self._in, to_write = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--disable-extensions"]
        flags += ["--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec chromium "$@" 3<&{to_read} 4>&{to_write}', "chromium", *flags],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._left = b""
        self._number = 0
        self._session: str | None = None
        self._arrived: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(
        self,
        path: Path,
        *,
        width: int = 1280,
        height: int = 800,
        scale: float = 1,
        mobile: bool = False,
        scheme: str = "light",
    ) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile
        )
        for earlier in (self._arrived, self.complaints, self.requests):
            earlier.clear()
        self.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=path.as_uri())
        self._wait_for("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise AssertionError(found["exceptionDetails"])
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        end = time.monotonic() + 60
        while not self.evaluate(expression):
            if time.monotonic() > end:
                raise TimeoutError(expression)
            time.sleep(0.1)

    def picture(self, path: Path, **more: Any) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", **more)["data"]))

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(answer["error"])
                return answer["result"]

    def close(self) -> None:
        for end in (self._out, self._in):
            os.close(end)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_for(self, event: str) -> None:
        while not any(message.get("method") == event for message in self._arrived):
            self._receive()

    def _receive(self) -> dict[str, Any]:
        end = time.monotonic() + 60
        while b"\0" not in self._left:
            if not select.select([self._in], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self._in, 1 << 20)
            if not part:
                raise ConnectionError("Chromium is gone")
            self._left += part
        first, _, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        if method:
            self._arrived.append(message)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if shutil.which("chromium") is None or shutil.which("bash") is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    opened = Browser(tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()


@pytest.fixture
def three_runs(make_run, make_survey, reports: Path) -> Path:
    make_run("hog_svm", skill=0.3)
    make_run("cnn9", skill=0.8, family="deep", n_epochs=5)
    make_run("prior", skill=0.0, family="baseline")
    make_survey({"hog_svm": 0.1, "cnn9": 2.5})
    return reports
