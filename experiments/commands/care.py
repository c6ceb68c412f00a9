"""``rapidvision session merge`` and ``remove``: data of several computers, and of participants who withdraw."""

import argparse

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say


def add_arguments(verbs: Verbs) -> None:
    """Add the sub-verbs."""
    parser = add_verb(
        verbs,
        "merge",
        "take the sessions of another computer's copy of a study into this one",
        "  rapidvision session merge study/ /media/usb/study\n\n"
        "The copies are not changed, and merging one again changes nothing. A session that contradicts what is here, or\n"
        "whose participant has another session here, is named and left out; the exit code is 1 then.",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder that gets the sessions")
    parser.add_argument("copies", nargs="+", metavar="COPY", help="the same study's folder of another computer")
    add_common_options(parser, seed=False, json=True)
    parser.set_defaults(run=_merge)
    parser = add_verb(
        verbs,
        "remove",
        "delete the data of a participant who withdraws, and write a receipt",
        "  rapidvision session remove study/ --participant p01\n\n"
        "Journals are deleted, and the rows in the study's own tables; datasets in the study's folder that hold the\n"
        "participant are deleted and must be exported again. The receipt is in STUDY/removed/.",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument("--participant", required=True, metavar="ID", help="as in `rapidvision session list`")
    add_common_options(parser, seed=False, json=True)
    parser.set_defaults(run=_remove)


def _merge(arguments: argparse.Namespace) -> int:
    from rapidvision.study import Study

    from ..care.merging import merge_study

    merged = [(copy, merge_study(Study(arguments.study), Study(copy))) for copy in arguments.copies]
    for copy, found in merged:
        say(arguments, f"{copy}: {found.text()}")
    give(arguments, {"copies": {copy: found._asdict() for copy, found in merged}})
    return 1 if any(found.left_out or found.doubled for _, found in merged) else 0


def _remove(arguments: argparse.Namespace) -> int:
    import msgspec

    from rapidvision.study import Study

    from ..care.removal import remove_participant

    receipt = remove_participant(Study(arguments.study), arguments.participant)
    say(arguments, receipt.text())
    give(arguments, msgspec.to_builtins(receipt))
    return 0
