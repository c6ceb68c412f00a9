"""Looking after a study's data: merging what several computers recorded, and removing a participant who withdraws."""
