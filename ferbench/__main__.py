"""`python -m ferbench`."""

import sys


def _run() -> int:
    try:
        from ferbench.cli import main
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "ferbench":
            raise
        sys.stderr.write(
            f"error: the commands need {error.name}, which is not installed: install ferbench without --no-deps. "
            "Without it, ferbench.load() and predict() still work in Python.\n"
        )
        return 2
    return main()


if __name__ == "__main__":
    sys.exit(_run())
