"""JSON files that hold one struct: the key ``version`` says which form, and a file that does not fit is named with its key."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from rapidvision import recipes
from rapidvision.errors import RecipeError
from rapidvision.system import files, json_text


class Versioned(Protocol):
    """A struct whose form has a version."""

    @property
    def version(self) -> int:
        """Version of the file's form."""
        ...


Content = TypeVar("Content", bound=Versioned)


@dataclass(frozen=True, slots=True)
class TypedJson(Generic[Content]):
    """One JSON file that a package writes and another reads.

    Parameters
    ----------
    content : type
        A msgspec struct with a field ``version``.
    version : int
        The form that is written, and the only one that is read.
    remedy : str
        What to do when a file does not fit.

    Examples
    --------
    >>> import tempfile
    >>> class Note(msgspec.Struct, frozen=True):
    ...     text: str
    ...     version: int = 1
    >>> file = TypedJson(Note, version=1, remedy="write it again")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file.write(Path(folder) / "a.json", Note("good"))
    ...     file.read(Path(folder) / "a.json")
    Note(text='good', version=1)
    """

    content: type[Content]
    version: int
    remedy: str

    def write(self, path: Path | str, value: Content) -> None:
        """Write the struct, atomically."""
        files.write_json(path, value)

    def text(self, value: Content) -> str:
        """Return the struct as JSON on one line, for files that keep it among other things."""
        return msgspec.json.encode(value).decode()

    def read(self, path: Path | str) -> Content:
        """Read the file.

        Raises
        ------
        RecipeError
            When the file is no JSON, of another version, or a key is missing, stands twice or does not fit; the message names file
            and key on one line.
        InputError
            When the file is missing or cannot be read.
        """
        return self.parse(files.read_bytes(path), name=str(path))

    def parse(self, data: bytes | str, *, name: str) -> Content:
        """Read the struct from JSON; `name` stands for the file in messages, which are those of :meth:`read`."""
        try:
            raw = json_text.loads(data if isinstance(data, str) else data.decode(), name=name)
        except UnicodeDecodeError as error:
            raise RecipeError(f"{name}: not JSON ({error}); {self.remedy}") from error
        except RecipeError as error:
            raise RecipeError(f"{error}; {self.remedy}") from error
        if isinstance(raw, dict):
            if "version" not in raw:
                raise RecipeError(f"{name}: no key `version`; {self.remedy}")
            if raw["version"] != self.version:
                raise RecipeError(
                    f"{name}: version {raw['version']}, this RapidVision reads {self.version}; {self.remedy}"
                )
        try:
            return recipes.convert(raw, self.content, name=name)
        except RecipeError as error:
            raise RecipeError(f"{error}; {self.remedy}") from error
