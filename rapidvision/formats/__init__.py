"""Files that one package writes and another reads: each has one definition, one writer and one reader here."""
