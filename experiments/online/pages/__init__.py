"""Pages and what they are told about the study."""
