"""The paragraphs for the paper, written from ``results.json`` alone."""
