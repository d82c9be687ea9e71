"""The command blocks of the README and the pages in docs/, run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def blocks(page: Path, language: str) -> list[str]:
    """What stands in the page's fenced blocks of this language, in its order."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for each, text in found if each == language]


def like_a_clone(folder: Path) -> Path:
    """The folder, with what the commands read of a clone of the repository; what they write stays apart from it."""
    for name in ("examples", "profiles"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def environment(**variables: str) -> dict[str, str]:
    """This process's environment with the commands of this installation, and these variables."""
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", **variables}


def run(block: str, folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a block of shell commands; the first that fails ends it."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
