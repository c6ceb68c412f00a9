"""Further canvases of a stimulus set: the same stimuli on other draws, which participants' slots take in turn."""
