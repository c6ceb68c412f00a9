"""Files of other programs: layouts, columns, folding."""
