"""Where and in which numbers networks compute, and how one is run so that its failures name layer and images."""
