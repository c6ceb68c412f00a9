"""The pages of the presets: the method, the timeline of one participant's session, the sources of the numbers, the file.

``python -m tools.preset_pages`` writes ``docs/presets/*.md`` and ``docs/images/tasks/*.png`` again.
"""

import tempfile
from pathlib import Path

from rapidvision.formats import protocol_file
from rapidvision.formats.protocol_file import PRESETS, preset
from rapidvision.grammar.runners import cannot
from rapidvision.system import files

DOCS = Path(__file__).parents[1] / "docs"
#: Preset -> title and what a participant does.
ABOUT = {
    "paper": (
        "The paper's task",
        (
            "A part of an image is shown for 400 ms. The participant presses one of two keys, animal or not, within 550 ms. One group sees "
            "the pixels that are important according to ClickMe maps, the other according to bottom-up saliency."
        ),
    ),
    "authors-2017": (
        "The task of the predecessor's code",
        (
            "The paper's task with three habits of the code of 2017: fixations in steps of 100 ms, a press that ends the trial, blocks that "
            "are shuffled freely."
        ),
    ),
    "within": (
        "Both map sources in every participant",
        (
            "The paper's trial. Every participant sees images of both map sources, and no image twice, so that the sources are compared "
            "within persons."
        ),
    ),
    "confidence": (
        "The paper's task with confidence ratings",
        "After each answered image the participant rates from 1 to 4 how sure they are. The rating follows the decision and is not timed.",
    ),
    "threshold": (
        "Thresholds by QUEST+",
        (
            "The reveal level of each trial follows from the answers so far. QUEST+ asks where the expected entropy of threshold, slope and "
            "lapse is least, in a track of its own for each map source."
        ),
    ),
    "masked": (
        "Backward masking",
        (
            "An image for 20 ms, a blank for 30 ms, a noise mask for 80 ms; then the participant says whether there was an animal, as fast and "
            "as accurately as possible. The images are intact."
        ),
    ),
    "go-nogo": (
        "Go/no-go",
        (
            "The participant holds a key. An image is flashed for 20 ms; the participant releases the key when it shows an animal. Not "
            "releasing it within 1,000 ms is the other answer."
        ),
    ),
    "sixteen-way": (
        "Sixteen categories",
        (
            "An image for 200 ms, a noise mask for 200 ms, then sixteen areas for 1,500 ms. The participant clicks the category; the last "
            "click counts. It runs on phones, too."
        ),
    ),
}


def page(name: str) -> str:
    """Return the page of a preset as Markdown."""
    title, about = ABOUT[name]
    protocol = preset(name)
    sources = "\n".join(f"| `{field}` | {words} |" for field, words in protocol.sources.items())
    refused = "\n".join(
        f"| {runner} | {'; '.join(finding.words for finding in found) or 'runs it'} |"
        for runner, found in cannot(protocol).items()
    )
    text = files.read_text(protocol_file.path_of(name)).split("\n[sources]")[0].rstrip()
    return f"""\
---
myst:
  html_meta:
    description: "{title}: the preset `{name}` of RapidVision, with timeline, sources and file."
    keywords: "rapid visual categorization, {name}, experiment design, protocol"
---

# {title} (`{name}`)

{about}

![Timeline of one participant's session: phases of the first trial with refreshes, and the blocks](../images/tasks/{name}.png)

<!-- not run: shown as a form; the tests plan and run every preset -->
```console
$ rapidvision session plan SET --protocol {name} --out study
```

## Where the numbers come from

| field | source |
|---|---|
{sources}

Fields that are not named have the defaults of [protocol.toml](../reference/protocol.md).

## Runners

| runner | |
|---|---|
{refused}

## File

```toml
{text}
```
"""


def main() -> None:
    """Write pages and images."""
    from rapidvision.experiments.design.figures.timeline import write_timeline
    from rapidvision.experiments.design.planning import groups_of, make_plan
    from tests.experiments.sets import set_for

    (DOCS / "presets").mkdir(exist_ok=True)
    (DOCS / "images" / "tasks").mkdir(exist_ok=True)
    for name in PRESETS:
        (DOCS / "presets" / f"{name}.md").write_text(page(name), encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            images = set_for(name, Path(folder) / "set")
            plan = make_plan(images, preset(name), group=groups_of(images, preset(name))[0], slot=0)
            write_timeline(plan, DOCS / "images" / "tasks" / f"{name}.png")


if __name__ == "__main__":
    main()
