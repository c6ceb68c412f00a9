"""Input devices beside the keyboard: mouse and touch, response boxes, and all of them as one."""
