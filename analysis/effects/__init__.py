"""Effect sizes with intervals, equivalence and Bayes factors per level."""
