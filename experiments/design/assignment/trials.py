"""Planned trials: what is assigned to a trial becomes everything that a runner needs."""

import re
from collections.abc import Mapping

from rapidvision.protocol import Protocol
from rapidvision.seeds import key64
from rapidvision.task.phases import NO_MASK, UNTIL_RESPONSE, Phase, phase_code, stimulus_code
from rapidvision.task.response import Scalar
from rapidvision.task.trial import Choice, SessionPhase, Trial, TrialImage, TrialPhase

from .conditions import Conditions, word
from .images import SetImages
from .units import Unit

_PLACE = re.compile(r"\{([^{}]+)\}")


class TrialMaker:
    """Makes trials of one protocol and stimulus set; equal parts of trials are one object.

    Parameters
    ----------
    protocol : Protocol
        The task.
    images : SetImages
        The stimulus set.
    conditions : Conditions
        The factors.
    """

    def __init__(self, protocol: Protocol, images: SetImages, conditions: Conditions) -> None:
        self._protocol, self._images, self._conditions = protocol, images, conditions
        self._phases: dict[tuple[object, ...], TrialPhase] = {}
        self._choices: dict[tuple[object, ...], tuple[Choice, ...]] = {}
        self._options = {
            _typed(value): option.name
            for option in (protocol.response.options if protocol.response else ())
            for value in option.matches or (option.name,)
        }
        trial_questions = [question for question in protocol.questions if question.ask == "trial"]
        self._ask: dict[SessionPhase, tuple[str, ...]] = {
            "main": tuple(question.name for question in trial_questions),
            "practice": tuple(question.name for question in trial_questions if question.practice),
        }
        self._masked_role = {
            phase.id: _nearest_image(protocol.phases, i) for i, phase in enumerate(protocol.phases) if phase.mask
        }

    def trial(
        self,
        unit: Unit,
        factors: Mapping[str, Scalar],
        durations: Mapping[str, int],
        *,
        number: int,
        block: int,
        phase: SessionPhase,
        slot: int,
    ) -> Trial:
        """Return one trial.

        Parameters
        ----------
        unit : Unit
            What it is about.
        factors : mapping
            Every factor's value, the adaptive one's too in practice.
        durations : mapping
            Phase -> milliseconds, for those that were drawn.
        number, block : int
            Number within the session; block, which is negative in practice.
        phase : {"practice", "main"}
            Phase of the session.
        slot : int
            Masks are drawn for it, and the canvas of every image is that whose turn it is.
        """
        protocol, response, conditions = self._protocol, self._protocol.response, self._conditions
        adapts = protocol.adaptive is not None and phase == "main"
        source = factors.get("map_source", conditions.fixed.get("map_source", ""))
        level = factors.get("level", conditions.fixed.get("level", 0))
        choices: tuple[Choice, ...] = ()
        if adapts:
            choices = self._choices_of(unit, source, slot)
            level = conditions.candidates[-1] if conditions.over == "level" else level
        images = {role: self._images.image(image, source, level, slot=slot) for role, image in unit.images.items()}
        limit = response.limit_ms if response else None
        return Trial(
            trial=number,
            block=block,
            phase=phase,
            images=images,
            factors=dict(factors),
            phases=tuple([self._phase(one, factors, durations, images, number, slot) for one in protocol.phases]),
            correct_response=self._correct(factors, next(iter(images.values()))),
            limit_ms=int(factors[limit]) if isinstance(limit, str) else limit,
            ask=self._ask[phase],
            track=self._track(factors) if adapts else "",
            choices=choices,
        )

    def _choices_of(self, unit: Unit, source: Scalar, slot: int) -> tuple[Choice, ...]:
        conditions = self._conditions
        key = (*unit.images.values(), source, slot % self._images.n_canvases)
        found = self._choices.get(key)
        if found is None:
            found = self._choices[key] = tuple(
                Choice(
                    value=value,
                    images={
                        role: self._images.image(image, source, value, slot=slot) for role, image in unit.images.items()
                    }
                    if conditions.over == "level"
                    else {},
                )
                for value in conditions.candidates
            )
        return found

    def _track(self, factors: Mapping[str, Scalar]) -> str:
        assert self._protocol.adaptive is not None
        return "/".join(word(factors[name]) for name in self._protocol.adaptive.per) or "all"

    def _correct(self, factors: Mapping[str, Scalar], image: TrialImage) -> str | None:
        protocol = self._protocol
        if protocol.response is None:
            question = protocol.scored
            return None if question is None else word(_column(question.correct, factors, image))
        return self._options.get(_typed(_column(protocol.response.correct, factors, image)))

    def _phase(
        self,
        phase: Phase,
        factors: Mapping[str, Scalar],
        durations: Mapping[str, int],
        images: Mapping[str, TrialImage],
        number: int,
        slot: int,
    ) -> TrialPhase:
        kind, ms, factor, content, sha256 = phase.kind, phase.duration_ms, "", "", ""
        code = phase_code(kind)
        if isinstance(ms, tuple):
            duration: int | None = durations[phase.id]
        elif ms == UNTIL_RESPONSE:
            duration = None
        elif isinstance(ms, str):
            duration, factor = (int(factors[ms]), "") if ms in factors else (None, ms)
        else:
            duration = ms
        if kind == "stimulus":
            content, shown = phase.image, images[phase.image]
            code = stimulus_code(shown.level_index, shown.target)
        elif kind == "cue":
            content = _PLACE.sub(lambda place: word(factors[place[1]]), phase.text)
        elif kind == "mask":
            family = word(factors.get(phase.mask, phase.mask))
            if family == NO_MASK:
                kind, code = "blank", phase_code("blank")
            else:
                content, sha256 = self._mask(
                    family, images[self._masked_role[phase.id]].image_id, phase.id, number, slot
                )
        key = (phase.id, kind, duration, factor, content, code)
        found = self._phases.get(key)
        if found is None:
            found = self._phases[key] = TrialPhase(
                name=phase.id,
                kind=kind,
                duration_ms=duration,
                factor=factor,
                content=content,
                sha256=sha256,
                overlay=phase.overlay,
                trigger=code if phase.trigger is None else phase.trigger,
            )
        return found

    def _mask(self, family: str, image: str, phase: str, number: int, slot: int) -> tuple[str, str]:
        """The image's own mask where the family has one, else one that is drawn by its address."""
        mask = self._images.own_mask(family, image)
        if mask is None:
            masks = self._images.free_masks(family)
            mask = masks[key64(self._protocol.seed, "mask", slot, phase, number) % len(masks)]
        return mask.path, mask.sha256


def _column(name: str, factors: Mapping[str, Scalar], image: TrialImage) -> Scalar:
    if name in factors:
        return factors[name]
    value: Scalar = getattr(image, name)
    return value


def _typed(value: Scalar) -> tuple[type, Scalar]:
    """A key that tells True from 1."""
    return (bool, value) if isinstance(value, bool) else (str, value) if isinstance(value, str) else (float, value)


def _nearest_image(phases: tuple[Phase, ...], mask: int) -> str:
    """Role of the stimulus before a mask; of the one after it where none is before."""
    before = [phase.image for phase in phases[:mask] if phase.kind == "stimulus"]
    after = [phase.image for phase in phases[mask:] if phase.kind == "stimulus"]
    return before[-1] if before else after[0]
