"""Random, avoiding and scripted players are found, painters are not; filters count everything that they leave out."""

import dataclasses

import numpy as np
import pytest

from rapidvision.experiments.clickme.maps.filters import Filters, apply_filters
from rapidvision.experiments.clickme.maps.quality import player_quality
from rapidvision.experiments.clickme.storage.collected import Collected
from rapidvision.experiments.clickme.storage.images import read_objects


@pytest.fixture(scope="module")
def judged(played):
    return player_quality(played.everything, played.rules, objects=read_objects(played.deck, 256))


def flags_by_name(played, judged):
    return {played.name_of[player]: quality.flags for player, quality in judged.items()}


def test_players_who_do_not_look_at_the_images_are_found_and_painters_are_not(played, judged):
    flags = flags_by_name(played, judged)
    found = {name for name, one in flags.items() if "off_target" in one}
    assert found >= {"random 0", "random 1", "random 2", "avoider"}
    assert not {name for name in found if name.startswith("painter")}


def test_a_stroke_that_repeats_on_every_image_is_found_as_scripted(played, judged):
    flags = flags_by_name(played, judged)
    assert [name for name, one in flags.items() if "scripted" in one] == ["copyist"]


def test_agreement_of_painters_is_clearly_above_their_null(played, judged):
    painters = [one for player, one in judged.items() if played.name_of[player].startswith("painter")]
    assert min(one.agreement - one.null for one in painters) > 0.4


def test_catch_scores_tell_painters_from_avoiders(played, judged):
    scores = {played.name_of[player]: quality.catch_score for player, quality in judged.items()}
    assert min(score for name, score in scores.items() if name.startswith("painter")) > 0.6
    assert scores["avoider"] < 0.2


def test_judging_does_not_depend_on_the_order_of_rounds(played, judged):
    backwards = dataclasses.replace(played.everything, rounds=played.everything.rounds[::-1])
    again = player_quality(backwards, played.rules, objects=read_objects(played.deck, 256))
    for player, quality in judged.items():
        assert again[player].agreement == pytest.approx(quality.agreement)
        assert again[player].flags == quality.flags


def test_players_with_few_maps_are_not_judged_on_agreement(played):
    first = {}
    for record in played.everything.played:
        first.setdefault(record.player_id, record)
    few = Collected(tuple(first.values()))
    for quality in player_quality(few, played.rules).values():
        assert quality.flags[0] == "too_few"
        assert np.isnan(quality.p)


def test_a_painter_with_few_maps_is_not_flagged_for_want_of_proof(played):
    counts, some = {}, []
    for record in played.everything.played:
        counts[record.player_id] = counts.get(record.player_id, 0) + 1
        if counts[record.player_id] <= (16 if record.player != "painter 0" else 10):
            some.append(record)
    quality = player_quality(Collected(tuple(some)), played.rules)
    (one,) = [q for player, q in quality.items() if played.name_of[player] == "painter 0"]
    assert one.n_maps == 10
    assert "off_target" not in one.flags


def test_kept_and_left_out_add_up_to_all_rounds(played, judged):
    for filters in (Filters(), Filters(min_bubbles=60), Filters(drop_flags=()), Filters(min_players=12)):
        passed = apply_filters(played.everything, filters, judged)
        assert passed.n_kept + sum(passed.left_out.values()) == len(played.everything.rounds)


def test_every_filter_names_its_reason(played, judged):
    records = list(played.everything.rounds)
    reported = played.everything.played[0].image_id
    records[0] = dataclasses.replace(records[0], phase="main", result="skipped")
    records[1] = dataclasses.replace(records[1], phase="main", result="left")
    records[2] = dataclasses.replace(records[2], phase="main", result="time", is_mobile=True, image_id="other")
    painted = next(n for n, r in enumerate(records) if n > 2 and r.player.startswith("painter") and r.phase == "main")
    records[painted] = dataclasses.replace(records[painted], image_id="lonely")
    records[painted + 1] = dataclasses.replace(records[painted + 1], xy=records[painted + 1].xy[:9])
    changed = Collected(tuple(records), {reported: frozenset("abc")})
    filters = Filters(min_players=2, drop_mobile=True, drop_flags=("scripted", "off_target"))
    reasons = apply_filters(changed, filters, judged).left_out
    assert set(reasons) == {
        "practice",
        "skipped by the player",
        "never started",
        "image reported by 3 or more players",
        "on a phone or tablet",
        "player flagged off_target",
        "player flagged scripted",
        "fewer than 10 bubbles",
        "fewer than 2 players on the image",
    }


def caught(played, n, *, hits):
    """One painter's rounds with `n` of them on catch images, `hits` of which were on the object."""
    objects = read_objects(played.deck, 256)
    mine = [r for r in played.everything.played if r.player == "painter 0"]
    outside = {name: np.argwhere(~mask)[:20, ::-1] for name, mask in objects.items()}
    inside = {name: np.argwhere(mask)[:20, ::-1] for name, mask in objects.items()}
    catches = [
        dataclasses.replace(one, round_id=f"c{k}", phase="catch", xy=(inside if k < hits else outside)[one.image_id])
        for k, one in enumerate(mine[:n])
    ]
    return Collected((*played.everything.rounds, *catches)), objects, mine[0].player_id


@pytest.mark.parametrize(
    ("n", "hits", "failed"), [(4, 4, False), (4, 2, False), (4, 1, True), (3, 0, True), (2, 0, False)]
)
def test_who_misses_most_catch_images_is_flagged_once_there_are_enough(played, n, hits, failed):
    data, objects, player = caught(played, n, hits=hits)
    quality = player_quality(data, played.rules, objects=objects)[player]
    assert (quality.n_catch, quality.catch_score) == (n, hits / n)
    assert ("failed_catch" in quality.flags) == failed


def test_catch_rounds_make_no_maps_and_are_counted(played):
    data, objects, _ = caught(played, 4, hits=0)
    passed = apply_filters(data, Filters(), player_quality(data, played.rules, objects=objects))
    assert passed.left_out["catch image"] == 4
    assert passed.left_out["player flagged failed_catch"] == 16
    assert passed.n_kept + sum(passed.left_out.values()) == len(data.rounds)
