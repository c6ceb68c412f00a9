"""The desk: a local page on which a study is made, run and read; every button runs a command and shows it."""
