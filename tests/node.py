"""The programs of the tests that run on Node.js: installed by their lockfiles, started where a test asks for them."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache"
REMEDY = "install Node.js 20 or newer with npm, e.g. apt-get install nodejs npm"
INSTALL_SECONDS = 600


class NodeError(Exception):
    """A program on Node.js could not be installed or started; the message says what to do."""


def missing() -> str | None:
    """One line that says what to install, or None when Node and npm are there."""
    absent = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    return f"{', '.join(absent)} not found: {REMEDY}" if absent else None


def install(project: Path) -> Path:
    """A copy of the project with what its lockfile says, in a folder of its own that git does not see.

    Done once, unless one of the project's files changes; safe when several processes ask at once. Raises NodeError with
    the end of npm's output.
    """
    sources = sorted([*project.glob("package*.json"), *project.glob("*.js")])
    folder = CACHE / f"node-{project.name}"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    stamp = folder / "installed-from.txt"
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == digest:
            return folder
        stamp.unlink(missing_ok=True)
        for source in sources:
            shutil.copyfile(source, folder / source.name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NodeError(f"npm ci did not finish in {INSTALL_SECONDS} s: run it in {folder}") from error
        if done.returncode != 0:
            raise NodeError(f"npm ci failed: run it in {folder}\n{done.stderr[-2000:]}")
        stamp.write_text(digest)
    return folder
