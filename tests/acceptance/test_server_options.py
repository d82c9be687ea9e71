"""Which server, and how to log in there, as it is typed: flags, environment, fhir-keta.toml; warnings; imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fhir_keta.cli.main import main
from tests.servers.certificates import authority
from tests.servers.guarded import Guarded, basic, header

COMMAND = [sys.executable, "-m", "fhir_keta"]


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, an empty home, and a patient to upload."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "patient.json").write_text(json.dumps({"resourceType": "Patient", "id": "p"}))
    return folder


def upload(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, ["upload", *arguments, "../records"], env=variables)


def user_settings(tmp_path: Path) -> Path:
    """Where the user's own settings are, as click has it for this system."""
    from click import get_app_dir

    folder = Path(get_app_dir("fhir-keta"))
    assert folder.is_relative_to(tmp_path / "home")
    folder.mkdir(parents=True)
    return folder / "fhir-keta.toml"


@pytest.mark.skipif(sys.platform == "win32", reason="the home of the user is not where HOME says")
def test_servers_have_names_in_the_working_directory_and_in_the_users_own_settings(tmp_path: Path, work: Path) -> None:
    mine = user_settings(tmp_path)
    with Guarded(basic("loader", "pass word")) as clinic, Guarded() as test, Guarded() as other:
        mine.write_text(
            f'[servers.clinic]\nurl = "{clinic.url}"\nuser = "loader"\npassword-file = "password"\n'
            f'[servers.test]\nurl = "{other.url}"\n'
        )
        (mine.parent / "password").write_text("pass word\n")
        (work / "fhir-keta.toml").write_text(f'[servers.test]\nurl = "{test.url}"\n')
        for name, server in (("clinic", clinic), ("test", test)):
            result = upload("--server", name)
            assert (result.exit_code, f"{server.url} (" in result.stderr) == (0, True), result.output
        assert other.asked == []
        missing = upload("--server", "clinc")
        assert missing.exit_code == 2
        assert f"nor a server in fhir-keta.toml or {mine}. Did you mean 'clinic'?" in missing.stderr


def test_flags_beat_the_environment_which_beats_the_file(tmp_path: Path, work: Path) -> None:
    (tmp_path / "flag").write_text("of-flag")
    (tmp_path / "file").write_text("of-file")
    with Guarded(lambda headers: True) as server:
        (work / "fhir-keta.toml").write_text(f'[servers.a]\nurl = "{server.url}"\ntoken-file = "../file"\n')

        def said(*arguments: str, **variables: str) -> set[str | None]:
            server.asked.clear()
            result = upload(*arguments, **variables)
            assert result.exit_code == 0, result.output
            return {asked.headers.get("authorization") for asked in server.asked}

        flag = ("--token-file", "../flag")
        assert said("--server", "a") == {"Bearer of-file"}
        assert said(FHIR_KETA_SERVER="a") == {"Bearer of-file"}
        assert said("--server", "a", FHIR_KETA_TOKEN="of-environment") == {"Bearer of-environment"}
        assert said("--server", "a", FHIR_KETA_TOKEN_FILE="../flag") == {"Bearer of-flag"}
        assert said("--server", "a", FHIR_KETA_UPLOAD_TOKEN_FILE="../flag") == {"Bearer of-flag"}
        assert said("--server", "a", *flag, FHIR_KETA_TOKEN="of-environment") == {"Bearer of-flag"}
        assert said("--server", server.url) == {None}
        assert said("--server", server.url, *flag, FHIR_KETA_PASSWORD="x", FHIR_KETA_USER="y") == {"Bearer of-flag"}


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["--user", "u", "--token-file", "f"], {}, "--user and --token-file are different kinds of authentication"),
        ([], {"FHIR_KETA_TOKEN": "x", "FHIR_KETA_PASSWORD": "y"}, "FHIR_KETA_PASSWORD and FHIR_KETA_TOKEN are"),
        ([], {"FHIR_KETA_TOKEN": "x", "FHIR_KETA_CLIENT_ID": "y"}, "FHIR_KETA_TOKEN and FHIR_KETA_CLIENT_ID are"),
        (["--user", "u"], {}, "nobody to ask. Give --password-file, or set FHIR_KETA_PASSWORD"),
        (["--timeout", "0"], {}, "--timeout"),
    ],
)
def test_exactly_one_kind_of_login(arguments: list[str], variables: dict[str, str], said: str) -> None:
    result = upload("--server", "https://fhir.example/r4", *arguments, **variables)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_insecure_warns_once(tmp_path: Path) -> None:
    """Also of many requests, in a process of its own, where nothing filters warnings."""
    signer = authority(tmp_path)
    with Guarded(tls=signer.server()) as server:
        command = [*COMMAND, "upload", "--server", server.url, "../records"]
        refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert refused.returncode == 3
        assert "Have it corrected, or name the CA that signed it with --ca." in refused.stderr
        done = subprocess.run([*command, "--insecure"], capture_output=True, text=True, timeout=60, check=False)
        fine = subprocess.run([*command, "--ca", signer.file], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, fine.returncode) == (0, 0), done.stderr + fine.stderr
    assert [line for line in done.stderr.splitlines() if "arning" in line] == [
        f"Warning: the certificate of {server.url} is not checked (--insecure). Anyone on the way can read and change "
        "everything, credentials too. Name its CA with --ca instead."
    ]
    assert "arning" not in fine.stderr


def test_insecure_without_tls_says_what_it_is() -> None:
    with Guarded() as server:
        result = upload("--server", server.url, "--insecure")
    assert result.exit_code == 0
    assert f"Warning: {server.url} has no TLS (--insecure). " in result.stderr


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(tmp_path: Path) -> None:
    """OpenSSL itself would ask on the terminal, in the middle of the run."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    files = authority(tmp_path).issue("loader")
    key = load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    arguments = ["--certificate", str(files.certificate), "--certificate-key", str(files.key)]
    command = [*COMMAND, "upload", "--server", "https://127.0.0.1:9/fhir", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert done.returncode == 2
    assert "PEM pass phrase" not in done.stderr
    assert "the key not encrypted" in done.stderr


def test_headers_go_with_a_login(tmp_path: Path) -> None:
    (tmp_path / "headers").write_text("X-Api-Key: gateway-key\n")
    with Guarded(header("X-Api-Key", "gateway-key")) as server:
        result = upload("--server", server.url, "--header-file", "../headers", FHIR_KETA_TOKEN="of-environment")
        assert result.exit_code == 0, result.output
        assert {asked.headers.get("authorization") for asked in server.asked} == {"Bearer of-environment"}


def loaded(code: str) -> set[str]:
    """The packages that are imported once ``code`` has run."""
    command = [sys.executable, "-c", f"import sys; {code}; print(); print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_what_logging_in_needs_is_imported_when_it_is_needed() -> None:
    """Nothing of it for the help, and of another kind of login not what signs for SMART."""
    of_help = loaded("from fhir_keta.cli.main import main; main(['upload', '--help'], standalone_mode=False)")
    assert "click" in of_help
    assert not of_help & {"requests", "urllib3", "joserfc", "cryptography", "tomllib", "ssl"}
    resolve = "from fhir_keta.server.settings import resolve; resolve('https://a.example', environment={'token': 't'})"
    of_bearer = loaded(resolve)
    assert "requests" in of_bearer
    assert not of_bearer & {"joserfc", "cryptography"}
