"""Secrets: the key of the server, signed tokens, random codes, and passwords that are never kept."""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

from rapidvision.errors import InputError

#: Without letters and digits that people mistake for each other.
_CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
SECRET_VARIABLE = "RAPIDVISION_SECRET"  # noqa: S105 - the name of a variable
PASSWORD_VARIABLE = "RAPIDVISION_PASSWORD"  # noqa: S105 - the name of a variable
_MAC_BYTES = 16


class Keyring:
    """Signs and checks what leaves the server and comes back.

    Parameters
    ----------
    secret : bytes
        At least 32 secret bytes.

    Examples
    --------
    >>> keys = Keyring(b"0" * 32)
    >>> token = keys.sign("session", "s1.3")
    >>> keys.open("session", token)
    's1.3'
    >>> keys.open("session", token[:-1] + "x") is None
    True
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise InputError(f"secret: got {len(secret)} bytes, at least 32 are needed")
        self._secret = secret

    def sign(self, purpose: str, text: str) -> str:
        """Return `text` with a signature that only this server can make, valid for one purpose."""
        return f"{text}.{self._mac(purpose, text)}"

    def open(self, purpose: str, token: str) -> str | None:
        """Return the signed text, or None when the signature is not ours; takes the same time either way."""
        text, dot, mac = token.rpartition(".")
        good = hmac.compare_digest(self._mac(purpose, text).encode(), mac.encode("utf-8", "replace"))
        return text if dot and good else None

    def pseudonym(self, purpose: str, text: str) -> str:
        """Return 32 hexadecimal digits that stand for `text` and cannot be turned back without the secret."""
        return hmac.digest(self._secret, f"{purpose}\0{text}".encode(), "sha256").hex()[:32]

    def code(self, purpose: str, text: str, *, length: int = 8) -> str:
        """Return a code of letters and digits that only this server could have given out for `text`."""
        number = int.from_bytes(hmac.digest(self._secret, f"code:{purpose}\0{text}".encode(), "sha256"), "big")
        return _spell(number, length)

    def _mac(self, purpose: str, text: str) -> str:
        mac = hmac.digest(self._secret, f"{purpose}\0{text}".encode("utf-8", "replace"), "sha256")
        return urlsafe_b64encode(mac[:_MAC_BYTES]).rstrip(b"=").decode()


def new_id() -> str:
    """Return a random id of 128 bits as 32 hexadecimal digits: no spreadsheet takes it for a formula."""
    return secrets.token_hex(16)


def new_code(*, length: int = 10) -> str:
    """Return a random code that people can type."""
    return _spell(secrets.randbits(8 * length), length)


def server_secret(folder: Path | str) -> bytes:
    """Return the server's key: from the environment, else from `folder`, where it is made once with mode 600.

    Raises
    ------
    InputError
        When the variable is too short or the file cannot be used.
    """
    given = os.environ.get(SECRET_VARIABLE)
    if given is not None:
        if len(given) < 32:
            raise InputError(f"{SECRET_VARIABLE}: got {len(given)} characters, at least 32 are needed")
        return given.encode()
    path = Path(folder) / "secret.key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode())
    except FileExistsError:
        pass
    except OSError as error:
        raise InputError(f"{path}: the server's key cannot be made ({error.strerror})") from error
    if os.name == "posix" and path.stat().st_mode & 0o077:  # Windows has no such bits: its folders decide
        raise InputError(f"{path}: other users can read the server's key; run chmod 600 on it")
    secret = path.read_bytes().strip()
    if len(secret) < 32:
        raise InputError(f"{path}: too short to be a key; remove it and a new one is made")
    return secret


def hash_password(password: str) -> str:
    """Return a salted scrypt hash of `password`."""
    salt = secrets.token_bytes(16)
    return f"{urlsafe_b64encode(salt).decode()}${urlsafe_b64encode(_scrypt(password, salt)).decode()}"


def check_password(password: str, hashed: str) -> bool:
    """Whether `password` is the hashed one; takes the same time either way."""
    salt, _, expected = hashed.partition("$")
    return hmac.compare_digest(_scrypt(password, urlsafe_b64decode(salt)), urlsafe_b64decode(expected))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=2**14, r=8, p=1, maxmem=2**26)


def _spell(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(_CODE_LETTERS))
        letters.append(_CODE_LETTERS[place])
    return "".join(letters)
