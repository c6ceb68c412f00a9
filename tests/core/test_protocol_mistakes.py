"""One mistake at a time: one line, with file, line, field, what was got and what is allowed or meant."""

import pytest

from rapidvision.errors import RecipeError
from rapidvision.formats import protocol_file
from rapidvision.formats.protocol_file import parse_protocol
from rapidvision.system import files

P = "paper"
LEVEL = '[[design.factors]]\nname = "level"'
MISTAKES = [  # preset, old text, new text, field, words in the message
    (P, "protocol = 2", "protocol = 3", "protocol", "got 3"),
    (P, "protocol = 2", 'protocol = "2"', "protocol", 'got "2"'),
    (P, 'name = "rapidvision"', "name = 7", "name", "got 7"),
    (P, 'name = "rapidvision"', 'nmae = "rapidvision"', "nmae", '"name"'),
    (P, 'name = "rapidvision"', 'name = ""', "name", 'got ""'),
    (P, 'name = "rapidvision"', 'name = "x"\nseed = -1', "seed", "got -1"),
    (P, 'name = "rapidvision"', 'name = "x"\nlanguage = 1', "language", "got 1"),
    (P, 'kind = "fixation"', 'kind = "fixaton"', "phases[0].kind", '"fixation"'),
    (P, 'kind = "blank"', 'kind = "pause"', "phases[2].kind", "Allowed: blank"),
    (P, 'kind = "blank"\n', "", "phases[2]", "`kind` is needed"),
    (P, "duration_ms = [1100, 1600]", "duration_ms = [1600, 1100]", "phases[0]", "shortest comes first"),
    (P, "duration_ms = [1100, 1600]", "duration_ms = [1100]", "phases[0].duration_ms", "length 2"),
    (P, "duration_ms = [1100, 1600]", "duration_ms = [0, 1600]", "phases[0].duration_ms", ">= 1"),
    (P, "duration_ms = [1100, 1600]", "duration_ms = true", "phases[0].duration_ms", "got true"),
    (P, "duration_ms = 400", "duration_ms = -400", "phases[1]", "-400"),
    (P, "duration_ms = 400", "duration_ms = 0.4", "phases[1].duration_ms", "0.4"),
    (P, "duration_ms = 400", "duration = 400", "phases[1]", '"duration_ms"'),
    (P, "duration_ms = 400", "", "phases[1]", "`duration_ms` is needed"),
    (P, "duration_ms = 400", 'duration_ms = "exposure"', "phases[1].duration_ms", 'no factor "exposure"'),
    (P, "duration_ms = 400", "duration_ms = 400\nstep_ms = 0", "phases[1].step_ms", "got 0"),
    (P, "duration_ms = 150", 'duration_ms = "respons"', "phases[2].duration_ms", '"response"'),
    (P, "duration_ms = 150", "duration_ms = 100", "response.limit_ms", "500 ms after"),
    (P, 'kind = "stimulus"', 'kind = "stimulus"\nimage = "first"', "phases[1].image", "image"),
    (P, 'kind = "stimulus"', 'kind = "stimulus"\ntext = "hello"', "phases[1]", "belongs to a cue"),
    (P, 'kind = "stimulus"', 'kind = "mask"', "phases[1]", "needs `mask`"),
    (P, 'kind = "stimulus"', 'kind = "blank"\nname = "stimulus"', "phases", "no stimulus"),
    (P, 'kind = "blank"', 'kind = "fixation"', "phases[2].name", "taken by phases[0]"),
    (P, 'kind = "blank"', 'kind = "options"', "phases[2].kind", "`area`"),
    (P, 'kind = "blank"', 'kind = "cue"\ntext = "{word}"', "phases[2].text", 'no factor "word"'),
    (P, 'kind = "blank"', 'kind = "cue"\ntext = "{word"', "phases[2].text", "braces"),
    (P, 'kind = "blank"', 'kind = "blank"\ntrigger = 300', "phases[2].trigger", "got 300"),
    (P, 'kind = "blank"', 'kind = "blank"\noverlay = "fix"', "phases[2].overlay", "fixation"),
    (P, 'kind = "blank"', 'kind = "blank"\nname = "response"', "phases[2].name", '"response_ms" is another column'),
    (P, 'kind = "blank"', 'kind = "blank"\nname = "a b"', "phases[2].name", "small letters"),
    (P, 'opens = "stimulus"', 'opens = "stimlus"', "response.opens", '"stimulus"'),
    (P, "limit_ms = 550", "limit_ms = 0", "response.limit_ms", "got 0"),
    (P, "limit_ms = 550", 'limit_ms = "deadline"', "response.limit_ms", 'no factor "deadline"'),
    (P, "limit_ms = 550", "limit = 550", "response", '"limit_ms"'),
    (P, "limit_ms = 550", "", "response.limit_ms", "needed"),
    (P, "limit_ms = 550", "limit_ms = 550\nends_trial = 1", "response.ends_trial", "got 1"),
    (P, "limit_ms = 550", 'limit_ms = 550\ncounts = "final"', "response.counts", "Allowed: first, last"),
    (P, "limit_ms = 550", 'limit_ms = 550\npress = "release"', "response.press", "Allowed: down, up"),
    (P, "limit_ms = 550", "limit_ms = 550\nearly_ms = -1", "response.early_ms", "got -1"),
    (P, "limit_ms = 550", 'limit_ms = 550\ncounterbalance = "rotat"', "response.counterbalance", '"rotate"'),
    (P, 'keys = ["s"]', 'keys = "s"', "response.options[0].keys", 'got "s"'),
    (P, 'keys = ["s"]', 'keys = ["l"]', "response.options[1].keys", "already means"),
    (P, 'keys = ["s"]', 'keys = ["S"]', "response.options[0].keys", "lower case"),
    (P, 'keys = ["s"]', 'keys = ["escape"]', "response.options[0].keys", "belongs to the session"),
    (P, 'keys = ["s"]', 'key = ["s"]', "response.options[0]", '"keys"'),
    (P, 'keys = ["s"]', "buttons = [0]", "response.options[0].buttons", "got 0"),
    (P, "matches = [true]", "matches = true", "response.options[0].matches", "got true"),
    (P, "matches = [true]", "matches = [false]", "response.options[1].matches", "is right for target"),
    (P, 'name = "target"', 'name = "Target"', "response.options[0].name", 'got "Target"'),
    (P, 'name = "target"', 'name = "distractor"', "response.options[1].name", "taken by"),
    (P, "blocks = 5", "blocks = 0", "design.blocks", "got 0"),
    (P, "blocks = 5", "block = 5", "design", '"blocks"'),
    (P, "blocks = 5", "blocks = 5\nfixed = { levl = 3 }", "design.fixed.levl", '"level"'),
    (P, "blocks = 5", "blocks = 5\nfixed = { level = 3 }", "design.fixed.level", "is a factor too"),
    (P, "block_size = 16", 'block_size = "all"', "design.block_size", "auto"),
    (P, "block_size = 16", "images = 0", "design.images", "got 0"),
    (P, 'name = "map_source"', 'name = "mapsource"', "design.factors[0].values", 'Did you mean "map_source"'),
    (P, 'vary = "between"', 'vary = "betwen"', "design.factors[0].vary", '"between"'),
    (P, LEVEL, LEVEL + "\nvalues = [1, 1]", "design.factors[1].values", "every value once"),
    (P, LEVEL, LEVEL + '\nvalues = [1, "2"]', "design.factors[1].values", "one kind"),
    (P, LEVEL, LEVEL + "\n[practice]\ncriterion = 80", "practice.criterion", "got 80"),
    (P, LEVEL, LEVEL + "\n[practice]\nmax_rounds = 3", "practice", "without a criterion"),
    (P, LEVEL, LEVEL + '\n[practice]\nfailed = "halt"', "practice.failed", "Allowed: continue, stop"),
    (P, LEVEL, LEVEL + "\n[display]\nbackground = [0, 0, 300]", "display.background", "got 300"),
    (P, LEVEL, LEVEL + "\n[display]\nimage_deg = 0", "display.image_deg", "got 0"),
    (P, LEVEL, LEVEL + '\n[breaks]\nunlock = "experimentr"', "breaks.unlock", '"experimenter"'),
    (P, LEVEL, LEVEL + '\n[feedback]\nmain = "some"', "feedback.main", "Allowed: all, none, wrong"),
    ("masked", "limit_ms = 2000", "ends_trial = true", "masked.toml", "not TOML"),
    ("go-nogo", 'keys = ["space"]', "", "response.options[1]", "one option at most"),
    ("go-nogo", "limit_ms = 1000", "early_ms = 0", "response.limit_ms", "not responding"),
    ("go-nogo", 'keys = ["space"]', "area = true", "response.press", "keys only"),
    ("sixteen-way", "limit_ms = 1500", "ends_trial = true", "response", "needed"),
    ("confidence", 'options = ["1", "2", "3", "4"]', "", "questions[0]", "at least two"),
    ("confidence", 'keys = ["1", "2", "3", "4"]', 'keys = ["1"]', "questions[0]", "got 1 for 4"),
    ("confidence", 'name = "confidence"\nkind', 'name = "level"\nkind', "questions[0].name", "another column"),
    ("confidence", 'kind = "rating"', 'kind = "number"', "questions[0]", "options"),
    ("threshold", 'over = "level"', 'over = "levels"', "adaptive.over", '"level"'),
    ("threshold", 'over = "level"', 'over = "contrast"', "adaptive.over", 'levels of the set (varies = "contrast"'),
    (P, "blocks = 5", 'blocks = 5\nbalance = "wiliams"', "design.balance", '"williams"'),
    (P, "blocks = 5", 'blocks = 5\nbalance = "williams"', "design.balance", 'no factor has vary = "block"'),
    (P, LEVEL, LEVEL + '\n[feedback]\nshows = "icon"', "feedback.shows", 'Did you mean "option"'),
    ("go-nogo", "[feedback]", '[feedback]\nshows = "option"', "feedback.shows", "no-go is neither"),
    ("masked", 'name = "masked"', 'name = "masked"\nlanguage = "it"', "response.options[0].label", 'no words in "it"'),
    ("threshold", 'per = ["map_source"]', 'per = ["source"]', "adaptive.per[0]", "map_source"),
    ("threshold", "first = 0.01, last = 1.0", "first = 0.0, last = 1.0", "adaptive.quest.threshold", "> 0"),
]


def text_of(name):
    return files.read_text(protocol_file.path_of(name))


@pytest.mark.parametrize(
    ("name", "old", "new", "field", "words"), MISTAKES, ids=[f"{i}-{m[3]}" for i, m in enumerate(MISTAKES)]
)
def test_one_mistake_one_line(name, old, new, field, words):
    text = text_of(name)
    assert old in text
    with pytest.raises(RecipeError) as caught:
        parse_protocol(text.replace(old, new, 1), name=f"{name}.toml")
    message = str(caught.value)
    findings = [line for line in message.splitlines() if field in line and words in line]
    assert len(findings) == 1, message
    assert message.startswith(f"{name}.toml:")


def test_the_line_is_the_fields():
    text = text_of("paper").replace('kind = "blank"', 'kind = "pause"')
    line = text.splitlines().index('kind = "pause"') + 1
    with pytest.raises(RecipeError, match=rf"^p\.toml:{line}: phases\[2\]\.kind: got \"pause\""):
        parse_protocol(text, name="p.toml")


def test_all_mistakes_are_told_at_once():
    text = text_of("paper").replace('opens = "stimulus"', 'opens = "image"').replace('keys = ["s"]', 'keys = ["l"]')
    with pytest.raises(RecipeError) as caught:
        parse_protocol(text)
    assert len(str(caught.value).splitlines()) == 2
