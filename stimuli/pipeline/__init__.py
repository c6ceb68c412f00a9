"""From one image and its maps to its stimuli."""
