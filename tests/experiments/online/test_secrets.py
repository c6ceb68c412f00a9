"""Secrets, passwords and addresses: kept privately, and no public server without encryption."""

import stat
from pathlib import Path

import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.web.serve import Address
from rapidvision.experiments.web.tokens import Keyring, check_password, hash_password, server_secret


def test_secrets_are_private_files_and_not_in_arguments(tmp_path, monkeypatch):
    monkeypatch.delenv("RAPIDVISION_SECRET", raising=False)
    secret = server_secret(tmp_path / "online")
    path = tmp_path / "online" / "secret.key"
    assert len(secret) == 64 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server_secret(tmp_path / "online") == secret
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        server_secret(tmp_path / "online")
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(InputError, match="too short"):
        server_secret(tmp_path / "online")
    monkeypatch.setenv("RAPIDVISION_SECRET", "x" * 31)
    with pytest.raises(InputError, match="at least 32"):
        server_secret(tmp_path)
    monkeypatch.setenv("RAPIDVISION_SECRET", "x" * 32)
    assert server_secret(tmp_path) == b"x" * 32
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("RAPIDVISION_SECRET")
    with pytest.raises(InputError, match="cannot be made"):
        server_secret(tmp_path / "file" / "x")


def test_passwords_are_kept_as_salted_hashes():
    first, second = hash_password("sesame"), hash_password("sesame")
    assert first != second and "sesame" not in first
    assert check_password("sesame", first) and not check_password("sesam", first)


def test_a_keyring_needs_a_real_secret():
    with pytest.raises(InputError, match="at least 32"):
        Keyring(b"short")


@pytest.mark.parametrize(
    "address",
    [
        Address("0.0.0.0"),
        Address("192.0.2.1"),
        Address("127.0.0.1", public_url="http://lab.example/"),
    ],
)
def test_a_public_server_without_encryption_is_refused_unless_told(address):
    with pytest.raises(InputError, match="--insecure"):
        address.check(insecure=False)
    address.check(insecure=True)


@pytest.mark.parametrize("address", [Address(), Address("localhost"), Address("0.0.0.0", public_url="https://a.b/c")])
def test_a_local_or_encrypted_server_is_welcome(address):
    address.check(insecure=False)


@pytest.mark.parametrize("url", ["lab.example", "ftp://lab.example", "https://"])
def test_a_public_address_must_be_one(url):
    with pytest.raises(InputError, match="public url"):
        Address(public_url=url).check(insecure=True)


def test_a_password_in_the_environment_does_not_show_in_the_process_list(study_folder, serve):
    served = serve(study_folder)
    command = Path(f"/proc/{served.process.pid}/cmdline")
    if command.exists():
        assert b"correct horse" not in command.read_bytes()
    assert not any("correct horse" in line for line in served.said)
