"""The machine and the software that gave a result: what makes two figures comparable. No host or user names."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

_LIBRARIES = (
    *("ferbench", "numpy", "scipy", "scikit-learn", "scikit-image"),
    *("keras", "tensorflow", "torch", "jax", "opencv-python", "mlflow"),
)
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


class Environment(BaseModel):
    """Hardware, operating system, library versions and the git commit of the working folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    python: str
    system: str
    processor: str
    n_cores: int
    memory_bytes: int | None
    keras_backend: str | None
    threads: dict[str, str]
    libraries: dict[str, str]
    commit: str | None

    @classmethod
    def capture(cls, commit: str | None = None) -> Environment:
        """Look at this process and this machine.

        Args:
            commit: What `git_commit` said when the work began, as the code that ran is that one's; None: ask now.
        """
        return cls(
            python=platform.python_version(),
            system=f"{platform.system()} {platform.machine()}",
            processor=_processor(),
            n_cores=n_cores(),
            memory_bytes=_memory_bytes(),
            keras_backend=sys.modules["keras"].backend.backend() if "keras" in sys.modules else None,
            threads={name: os.environ.get(name, "library default") for name in _THREAD_VARIABLES},
            libraries={name: found for name in _LIBRARIES if (found := _version(name))},
            commit=commit or git_commit(),
        )

    @property
    def cores(self) -> str:
        """How many cores, in words."""
        return "1 core" if self.n_cores == 1 else f"{self.n_cores} cores"


def n_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def git_commit(folder: Path | None = None) -> str | None:
    """The commit checked out in `folder` (default: the current one), "+changes" behind it where code differs from it.

    Changes under reports/ do not count: runs write there. None outside a repository.
    """
    folder = folder or Path.cwd()
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--", ":/", ":(exclude,top)reports")
    return f"{commit}+changes" if changes else commit


def peak_memory_bytes() -> int | None:
    """The most memory this process has held so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
