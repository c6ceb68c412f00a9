"""Other ways to analyse the same table: late rule, exclusions, statistic and correction, all combinations."""
