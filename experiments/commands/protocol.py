"""``rapidvision session protocol``: look at a preset, check a file, write the schema for editors."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, say


def add_arguments(verbs: Verbs) -> None:
    """Add ``protocol`` to the verbs of ``rapidvision session``."""
    parser = add_verb(
        verbs,
        "protocol",
        "print a preset to edit, or check a protocol.toml and say which runners run it",
        "  rapidvision session protocol masked --out mine.toml\n"
        "  rapidvision session protocol mine.toml\n"
        "  rapidvision session protocol --schema protocol.schema.json",
    )
    parser.add_argument(
        "protocol", nargs="?", default="paper", metavar="FILE|PRESET", help="default: the preset `paper`"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the protocol there instead of printing it")
    parser.add_argument("--schema", type=Path, metavar="FILE", help="write the JSON Schema of protocol files, and stop")
    add_common_options(parser)
    parser.set_defaults(run=_protocol)


def _protocol(arguments: argparse.Namespace) -> int:
    from rapidvision.errors import InputError
    from rapidvision.formats.protocol_file import PRESETS, path_of, read_protocol
    from rapidvision.grammar.runners import cannot
    from rapidvision.grammar.schema import protocol_schema
    from rapidvision.system import files

    if arguments.schema is not None:
        files.write_json(arguments.schema, protocol_schema())
        say(arguments, f"schema of protocol files: {arguments.schema}")
        return 0
    protocol = read_protocol(arguments.protocol)
    if arguments.out is not None and arguments.out.exists():
        raise InputError(f"{arguments.out}: exists already; choose another --out, so that no edited file is lost")
    if arguments.protocol in PRESETS:
        text = files.read_text(path_of(arguments.protocol))
        if arguments.out is None:
            print(text, end="")  # noqa: T201
        else:
            files.write_text(arguments.out, text)
            say(arguments, f"preset {arguments.protocol}: {arguments.out}")
        return 0
    for runner, found in cannot(protocol).items():
        print(f"{runner}: {'runs it' if not found else 'cannot run it'}")  # noqa: T201
        for finding in found:
            print(f"  {finding.path}: {finding.words}")  # noqa: T201
    return 0
