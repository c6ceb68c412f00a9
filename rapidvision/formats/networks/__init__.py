"""Files of networks: the record beside their answers, and the card of a network in an ONNX file."""
