"""Whether canvases tell the category: a cross-validated classifier on what they show, and its permutation test."""
