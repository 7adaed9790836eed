"""`ui`: MLflow's own pages."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from ferbench.cli.commands import Commands
from ferbench.cli.console import notice
from ferbench.errors import ConfigError


def add(commands: Commands) -> None:
    """`ui`."""
    parser = commands.add("ui", "Start MLflow's own UI on the tracked runs, on 127.0.0.1.", _ui)
    parser.add_argument("--port", type=int, default=5000, help="(default: %(default)s)")
    parser.add_argument("--uri", help="tracking URI (default: MLFLOW_TRACKING_URI or sqlite:///mlflow.db)")


def _ui(options: argparse.Namespace) -> int:
    from ferbench.tracking.mlflow_store import connect, newest_experiment, tracking_uri

    uri, port = tracking_uri(options.uri), options.port
    if uri.startswith(("http://", "https://")):
        raise ConfigError(f"The runs at {uri} have a server already: open this address in a browser.")
    is_missing = uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists()
    experiment = None if is_missing else newest_experiment(connect(uri))
    if experiment is None:
        raise ConfigError(f"There are no runs yet at {uri}: run an experiment first, or give --uri.")
    _check_port(port)
    address = ("--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--uvicorn-opts", "--log-level=warning")
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_LOGGING_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(getattr(signal, name), lambda number, frame: sys.exit(128 + number))
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, *address],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **quiet},
    )
    try:
        while server.poll() is None and not _answers(port):
            time.sleep(0.2)
        page = f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs?workflowType=machine_learning"
        if server.poll() is None:
            notice(f"MLflow's UI: {page}\nSelect runs, then Compare. Ctrl-C stops it.")
        return server.wait()
    finally:
        _stop(server)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "ports go up to 65535"
            raise ConfigError(f"Port {port} cannot be used ({reason}): give another with --port.") from error


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask a process and its children to stop, then make them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not hasattr(os, "killpg"):
        server.terminate()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=5)
