"""Lab sessions: PsychoPy display, keyboard, checks, triggers, timing."""
