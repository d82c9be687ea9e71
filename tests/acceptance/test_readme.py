"""Every command block of the README, run as it stands there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_keta.server.sandbox import Sandbox
from tests import pages
from tests.pages import ROOT, run

SHELL = pages.blocks(ROOT / "README.md", "sh")
PYTHON = pages.blocks(ROOT / "README.md", "python")

MAKE_TEST = "make test\n"  # the command that runs this test
INSTALL = next(text for text in SHELL if "pip install" in text)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with Sandbox() as sandbox:
        yield pages.environment(SERVER=sandbox.url)


def test_the_readme_names_the_two_commands() -> None:
    assert "make demo\n" in SHELL
    assert MAKE_TEST in SHELL
    assert "FHIR_KETA_REQUIRE=all make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("block", [text for text in SHELL if text not in (MAKE_TEST, INSTALL)])
def test_shell_block(block: str, environment: dict[str, str], tmp_path: Path) -> None:
    done = run(block, ROOT if block.startswith("make ") else pages.like_a_clone(tmp_path), environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", PYTHON)
def test_python_block(block: str, environment: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", block], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "binding-required Observation.status" in done.stdout


def test_install_block_and_the_package_it_installs(tmp_path: Path, environment: dict[str, str]) -> None:
    """A wheel built from what git holds carries profiles, examples and base R4: it works away from the clone."""
    clone = tmp_path / "clone"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, tracked):
        source, target = ROOT / os.fsdecode(name), clone / os.fsdecode(name)
        if source.exists() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    done = run(INSTALL, clone, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    installed = tmp_path / "installed"
    shutil.move(clone / ".venv", installed)
    shutil.rmtree(clone)
    python = installed / "bin" / "python"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    demo = subprocess.run(
        [python, "-m", "fhir_keta", "demo"], cwd=elsewhere, capture_output=True, text=True, timeout=300, check=False
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
