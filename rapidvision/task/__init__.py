"""The parts of a protocol: phases, response, questions, design, and what follows from them."""
