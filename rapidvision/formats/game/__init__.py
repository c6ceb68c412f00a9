"""Files of the ClickMe game: rounds, players, clicks, maps, and the record of an export."""
