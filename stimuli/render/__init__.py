"""Pictures drawn from a seed: eight categories, named parts, maps by simulated observers (docs/bundled-images.md).

``picture.draw`` draws one, ``folder.render`` writes a picture folder, ``rapidvision demo render`` is its command.
"""
