"""Named parts that users can add to: reveal modes, backgrounds, map readers, statistics, networks and more.

A part is built in, or a plug-in. A plug-in is registered by a decorator when its module is imported, or by an entry
point of an installed distribution. Either way an output that it made records its name, version and source hash.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from rapidvision.errors import InputError, did_you_mean

from .source import Part, PluginSource, owner_of, part_of

T = TypeVar("T")


class Registry(Generic[T]):
    """The parts of one kind, by name. Iterating a registry yields the names.

    Parameters
    ----------
    kind : str
        What the parts are, in the singular, for messages.
    group : str
        Group of entry points in which installed distributions offer such parts.
    builtin : mapping
        Name → ``"module:function"`` of the built-in parts. A module is imported when its part is used.

    Examples
    --------
    >>> means = Registry[Callable[..., float]]("mean", "rapidvision.doctest", {"sum": "math:fsum"})
    >>> means.get("sum")([1, 2])
    3.0
    >>> @means.register("largest")
    ... def largest(values):
    ...     return max(values)
    >>> means.names()
    ('sum', 'largest')
    >>> means.get("larges")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: mean: got "larges". Did you mean "largest"?
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str]) -> None:
        self.kind, self.group = kind, group
        self._builtin = dict(builtin)
        self._parts: dict[str, Part] = {}
        self._checked: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that adds a part under a name.

        Raises
        ------
        InputError
            When the name is empty or has blanks, or belongs to a built-in part or to another plug-in.
        """
        if not name or any(letter.isspace() for letter in name):
            raise InputError(f'{self.kind}: got the name "{name}"; a name without blanks is needed')

        def add(value: T) -> T:
            part = part_of(value)
            if name in self._builtin:
                self._refuse(name, [_place(self._builtin[name], "rapidvision"), part.place])
            there = self._parts.get(name)
            if there is not None and there.place != part.place:
                self._refuse(name, [there.place, part.place])
            self._parts[name] = part
            self._checked.pop(name, None)
            return value

        return add

    def get(self, name: str) -> T:
        """Return the part of a name.

        Raises
        ------
        InputError
            When no part has the name, when several have, or when an entry point cannot be loaded.
        """
        if name in self._checked:
            return self._checked[name]
        offered = [entry for entry in _entry_points(self.group) if entry.name == name]
        if name in self._builtin and not offered:
            self._checked[name] = _load(self._builtin[name])
            return self._checked[name]
        places = {self._builtin[name]: "rapidvision"} if name in self._builtin else {}
        if name in self._parts:
            places[self._parts[name].place] = ""
        for entry in offered:
            part = part_of(self._loaded(entry))
            places.setdefault(part.place, _distribution_of(entry))
            self._parts.setdefault(name, part)
        if len(places) > 1:
            self._refuse(name, [_place(where, owner) for where, owner in places.items()])
        if not places:
            raise InputError(self.unknown(name))
        self._checked[name] = self._parts[name].value
        return self._checked[name]

    def names(self) -> tuple[str, ...]:
        """Every name: built-in parts first, then registered ones, then those of entry points."""
        offered = sorted(entry.name for entry in _entry_points(self.group))
        return tuple(dict.fromkeys([*self._builtin, *self._parts, *offered]))

    def unknown(self, name: str) -> str:
        """Return the sentence that refuses a name, with a hint at what was probably meant."""
        return f'{self.kind}: got "{name}". {did_you_mean(name, self.names())}'

    def source_of(self, name: str) -> PluginSource:
        """Return where the part of a name comes from.

        Raises
        ------
        InputError
            As :meth:`get` does, and where the source of a part cannot be found.
        """
        from rapidvision import __version__

        self.get(name)
        if name in self._builtin:
            module = self._builtin[name].partition(":")[0]
            sha256 = part_of(self._checked[name]).sha256
            return PluginSource(
                kind=self.kind, name=name, module=module, distribution="rapidvision", version=__version__, sha256=sha256
            )
        part = self._parts[name]
        if not part.sha256:
            raise InputError(
                f"{self.kind} {name}: its source is not found, so that outputs could not record it; put it into a module"
            )
        distribution, version = owner_of(part.module)
        return PluginSource(
            kind=self.kind,
            name=name,
            module=part.module,
            distribution=distribution,
            version=version,
            sha256=part.sha256,
        )

    def plugins(self, *names: str) -> tuple[PluginSource, ...]:
        """Return the sources of those of the names that are plug-ins, each once; built-in parts are left out."""
        return tuple(self.source_of(name) for name in dict.fromkeys(names) if name not in self._builtin)

    def is_builtin(self, name: str) -> bool:
        """Whether a name belongs to a part of the suite itself."""
        return name in self._builtin

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or name in self._parts or name in self.names()

    def __len__(self) -> int:
        return len(self.names())

    def _loaded(self, entry: Any) -> Any:
        try:
            return entry.load()
        except Exception as error:  # a plug-in may raise anything when it is imported
            raise InputError(
                f"{self.kind} {entry.name} of {_distribution_of(entry)}: cannot be imported "
                f"({type(error).__name__}: {error}); repair or uninstall it"
            ) from error

    def _refuse(self, name: str, places: list[str]) -> None:
        raise InputError(
            f'{self.kind}: the name "{name}" is given twice, by {" and by ".join(places)}; rename or remove one'
        )


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _place(where: str, distribution: str = "") -> str:
    return f"{where} of {distribution}" if distribution else where


@cache
def _entry_points(group: str) -> tuple[Any, ...]:
    from importlib import metadata

    return tuple(metadata.entry_points(group=group))


def _distribution_of(entry: Any) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unknown distribution"
