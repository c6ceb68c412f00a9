"""Words in alphabets that PsychoPy's text does not set rightly: fonts that have their letters, direction, joined letters."""
