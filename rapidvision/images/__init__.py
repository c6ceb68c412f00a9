"""Images and maps: the one loader, and what a folder of images holds."""
