"""From a network's class scores to the options of a task and to questions about the answer."""
