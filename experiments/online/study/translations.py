"""The words of the browser's own pages, in the languages that the task's texts come in."""

from pathlib import Path

from rapidvision import recipes

_FOLDER = Path(__file__).parents[1] / "words"


def texts_for(language: str) -> dict[str, str]:
    """Return the words of a language, English for languages without a translation.

    Examples
    --------
    >>> texts_for("de")["agree"]
    'Ich bin einverstanden'
    >>> texts_for("tlh") == texts_for("en")
    True
    """
    path = _FOLDER / f"{language}.toml"
    return recipes.read(path if path.is_file() else _FOLDER / "en.toml", dict[str, str])


def loading_words(language: str) -> dict[str, str]:
    """Return what a page says when its modules do not arrive, for :func:`.shell.shell`."""
    words = texts_for(language)
    return {"waiting": words["waiting"], "too_old": words["excluded_browser"]}
