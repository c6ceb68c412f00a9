"""Images drawn from a seed: eight categories, named parts, maps by simulated observers (docs/bundled-images.md).

``image.draw`` draws one, ``folder.render`` writes an image folder, ``rapidvision demo render`` is its command.
"""
