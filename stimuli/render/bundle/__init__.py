"""From scenes to a folder of images with maps."""
