"""Building and starting the Java programs of the tests: HL7's validator and the HAPI server."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
REMEDY = "install a JDK (17 or newer) and Maven, e.g. apt-get install openjdk-17-jdk-headless maven"
BUILD_SECONDS = 1500
OPTIONS = ["-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]


class JavaError(Exception):
    """A Java program could not be built, started or spoken to; the message says what to do."""


def missing() -> str | None:
    """One line that says what to install, or None when a JDK 17+ and Maven are there."""
    absent = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]
    if absent:
        return f"{', '.join(absent)} not found: {REMEDY}"
    told = subprocess.run(["javac", "-version"], capture_output=True, text=True, timeout=60, check=False)
    version = re.search(r"(\d+)", told.stdout + told.stderr)
    if version is None or int(version[1]) < 17:
        return f"the JDK is too old ({(told.stdout + told.stderr).strip()}): {REMEDY}"
    return None


def build(project: Path) -> None:
    """Compile a Maven project into its target folder, libraries included, unless its sources are those last built.

    Raises JavaError with the end of Maven's output. Safe when several processes build the same project at once.
    """
    sources = [project / "pom.xml", *sorted((project / "src").rglob("*.*"))]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources if source.is_file())).hexdigest()
    CACHE.mkdir(exist_ok=True)
    stamp = project / "target" / "built-from.txt"
    with (CACHE / f"{project.parent.name}-{project.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == digest:
            return
        command = ["mvn", "-q", "-B", "--file", str(project / "pom.xml"), "clean", "process-classes"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise JavaError(
                f"Maven did not finish {project.name} in {BUILD_SECONDS} s; run {' '.join(command)}"
            ) from error
        if done.returncode != 0:
            raise JavaError(
                f"Maven failed on {project.name}; run {' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
            )
        stamp.write_text(digest)


def command(project: Path, main_class: str, *arguments: str, properties: dict[str, str] | None = None) -> list[str]:
    """The command line that runs a built project's main class."""
    classpath = f"{project / 'target/classes'}{os.pathsep}{project / 'target/lib'}/*"
    defines = [f"-D{name}={value}" for name, value in (properties or {}).items()]
    return ["java", *OPTIONS, *defines, "-cp", classpath, main_class, *arguments]
