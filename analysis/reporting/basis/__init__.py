"""What the sections of a report stand on: the drawn conditions, Fig. 2B, the numbers, and the page."""
