"""Names of cue-conflict images: shape and texture of two categories."""

#: Texture in the file name of a cue-conflict image: ``…bear1-bottle2.png`` is a bear of bottles.
TEXTURE = r"[A-Za-z]+\d*-(?P<texture>[A-Za-z]+)\d*(?:\.\w+)?$"
