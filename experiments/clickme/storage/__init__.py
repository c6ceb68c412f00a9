"""Tables, images and the image queue."""
