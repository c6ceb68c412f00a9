"""Flags of trials: which tell of the participant's own presses, and so not of the equipment."""

#: What the participant did; every other flag is trouble with the equipment or with the session.
PARTICIPANT_FLAGS = frozenset({"early_press", "held_at_onset", "both_keys"})
