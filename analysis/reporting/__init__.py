"""The report: sections, HTML and Fig. 2B."""
