"""The protocol says what the paper says, presets read as themselves, and runners name what they cannot do."""

import json

import msgspec
import pytest

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.formats.protocol_file import PRESETS, parse_protocol, preset, read_protocol
from rapidvision.grammar.runners import cannot, ignored_by_networks, refuse, too_short
from rapidvision.grammar.schema import attributes_of, protocol_schema
from rapidvision.protocol import Protocol
from rapidvision.task.questions import Question


def test_the_papers_task():
    paper = preset("paper")
    assert [(phase.kind, phase.duration_ms) for phase in paper.phases] == [
        ("fixation", (1100, 1600)),
        ("stimulus", 400),
        ("blank", 150),
    ]
    assert (paper.response.limit_ms, paper.response.opens, paper.response.ends_trial) == (550, "stimulus", False)
    assert [option.keys for option in paper.response.options] == [("s",), ("l",)]
    assert (paper.design.blocks, paper.design.block_size) == (5, 16)
    assert [(factor.name, factor.vary) for factor in paper.design.factors] == [
        ("map_source", "between"),
        ("level", "within"),
    ]
    assert paper.display.background == (255, 255, 255) and paper.feedback.too_slow_ms == 1000


def test_the_predecessors_code_differs_where_it_is_known_to():
    old = preset("authors-2017")
    assert old.response.ends_trial and not old.design.balanced_blocks
    assert (old.phases[0].duration_ms, old.phases[0].step_ms) == ((1100, 1500), 100)
    assert old.digest != preset("paper").digest


#: What the published methods say, phase by phase, and the limit.
PUBLISHED = {
    "masked": ({"stimulus": 20, "gap": 30, "mask": 80}, 2000),
    "go-nogo": ({"stimulus": 20}, 1000),
    "sixteen-way": ({"fixation": 300, "stimulus": 200, "mask": 200, "options": 1500}, 1500),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_durations(name):
    durations, limit_ms = PUBLISHED[name]
    protocol = preset(name)
    assert {phase: protocol.phase(phase).duration_ms for phase in durations} == durations
    assert protocol.response.limit_ms == limit_ms


def test_sixteen_options_can_be_clicked_and_corrected():
    response = preset("sixteen-way").response
    assert len(response.options) == 16 and all(option.area for option in response.options)
    assert (response.correct, response.counts, response.opens) == ("category", "last", "options")


def test_not_responding_is_an_option_of_go_nogo():
    response = preset("go-nogo").response
    assert (response.withheld, response.press) == ("no-go", "up")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_reads_back_as_itself_and_names_its_sources(name):
    protocol = preset(name)
    again = parse_protocol(recipes.dump(protocol), name=name)
    assert again == protocol and again.digest == protocol.digest
    assert protocol.sources and set(protocol.sources) >= {f"phases.{p.id}" for p in protocol.phases if p.kind == "mask"}


def test_any_change_changes_the_digest():
    paper = preset("paper")
    for change in ({"seed": 1}, {"language": "de"}, {"phases": paper.phases[1:]}):
        assert msgspec.structs.replace(paper, **change).digest != paper.digest


def test_an_unknown_preset_is_refused_with_a_hint():
    with pytest.raises(InputError, match='Did you mean "paper"'):
        preset("papre")


def test_a_protocol_made_in_python_is_checked_too():
    paper = preset("paper")
    with pytest.raises(InputError, match=r"response\.opens"):
        read_protocol(
            msgspec.structs.replace(paper, response=msgspec.structs.replace(paper.response, opens="stimulis"))
        )


def test_a_protocol_made_in_python_is_the_one_that_its_file_gives():
    """Whole numbers stand where a file has numbers; the digests must be one."""
    age = Question(name="age", kind="number", ask="start", range=(18, 99))
    made = read_protocol(msgspec.structs.replace(preset("paper"), questions=(age,)))
    assert made.digest == parse_protocol(recipes.dump(made)).digest


def test_runners_name_what_they_cannot_do():
    found = {name: {runner for runner, why in cannot(preset(name)).items() if why} for name in PRESETS}
    assert found["paper"] == {"phone"} and found["sixteen-way"] == {"movie"}
    assert found["threshold"] == {"phone", "movie"}
    with pytest.raises(InputError, match=r"adaptive: a movie is made before the answers are known \(runner: movie\)"):
        refuse(preset("threshold"), "movie")
    refuse(preset("paper"), "browser")
    degrees = msgspec.structs.replace(preset("paper").display, image_deg=7.0)
    found = cannot(msgspec.structs.replace(preset("paper"), display=degrees))
    assert {runner for runner, why in found.items() if why} == {"browser", "phone", "movie"}
    assert [finding.path for finding in found["browser"]] == ["display.image_deg"]
    assert ignored_by_networks(preset("masked")) == ["durations", "masks"]


@pytest.mark.parametrize(("hz", "bad"), [(240, []), (60, []), (50, []), (24, ["stimulus"])])
def test_phases_that_a_screen_cannot_show(hz, bad):
    assert [path.split("(")[1].rstrip(")") for path, _ in too_short(preset("masked"), hz)] == bad


def test_the_schema_describes_every_field():
    schema = protocol_schema()
    json.dumps(schema)
    for name, definition in schema["$defs"].items():
        assert definition["description"], name
        for field, about in definition["properties"].items():
            assert about["description"], f"{name}.{field}"
            assert definition["additionalProperties"] is False
    assert set(attributes_of(Protocol)) == {field.name for field in msgspec.structs.fields(Protocol)}
