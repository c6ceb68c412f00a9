"""The diode and the key robot, as a process of their own: ``python diode.py FRAMEBUFFER X Y DISPLAY KEY SEED``.

Writes lines to its standard output: ``offset MS`` (wall clock minus monotonic clock), ``dark MS GAP`` and
``light MS GAP`` (GAP: time since the previous look), ``key MS``. Ends when its standard input does.
"""

import mmap
import os
import random
import select
import struct
import sys
import time

HEADER = struct.Struct(
    ">25I"
)  # X Window Dump: 0 header size, 12 bytes per line, 19 number of colours, 11 bits per pixel


def now_ms():
    return time.monotonic_ns() / 1e6


def pixel_place(view, x, y):
    header = HEADER.unpack_from(view)
    header_size, bits, bytes_per_line, n_colours = header[0], header[11], header[12], header[19]
    return header_size + 12 * n_colours + y * bytes_per_line + x * bits // 8


def main(path, x, y, display, key, seed):
    rng = random.Random(seed)
    press = robot(display, key) if key else None
    with open(path, "rb") as file:
        view = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        place = pixel_place(view, x, y) + 1  # green
        print(f"offset {time.time_ns() / 1e6 - now_ms():.4f}", flush=True)
        was_dark, last, due, release = view[place] < 128, now_ms(), 0.0, 0.0
        look = 0
        while True:
            now = now_ms()
            dark = view[place] < 128
            if dark != was_dark:
                print(f"{'dark' if dark else 'light'} {now:.4f} {now - last:.4f}", flush=True)
                was_dark = dark
                if dark and press:
                    due = now + rng.uniform(200, 380)
            if due and now >= due:
                print(f"key {press(True):.4f}", flush=True)
                due, release = 0.0, now + 30
            if release and now >= release:
                press(False)
                release = 0.0
            last = now
            look += 1
            if look % 256 == 0 and select.select([sys.stdin], [], [], 0)[0] and not os.read(0, 1):
                return
            time.sleep(5e-5)


def robot(display_name, key):
    from Xlib import XK, X, display
    from Xlib.ext import xtest

    connection = display.Display(display_name)
    code = connection.keysym_to_keycode(XK.string_to_keysym(key))

    def press(down):
        before = now_ms()
        xtest.fake_input(connection, X.KeyPress if down else X.KeyRelease, code)
        connection.flush()
        return (before + now_ms()) / 2

    return press


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5], int(sys.argv[6]))
