"""Pictures drawn from a seed: eight categories, named parts, maps by simulated observers (docs/pictures.md).

``picture.draw`` draws one, ``folder.render`` writes a picture folder, ``rapidvision demo render`` is its command.
"""
