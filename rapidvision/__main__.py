"""``python -m rapidvision`` is the command ``rapidvision``."""

import sys

from rapidvision.cli import main

sys.exit(main())
