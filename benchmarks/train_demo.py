"""``python -m benchmarks.train_demo FOLDER``: store what maps add when pictures are few, from two seeds.

FOLDER is that of ``rapidvision models train-demo --recipe few-pictures --controls --seeds 0 1 --out FOLDER``; what has not been
trained there yet is trained now. It takes some ten minutes on two idle cores, so `python -m benchmarks models` prints the stored run
instead, with its date.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from rapidvision.gala_models.demo import bundled_recipe, make

STORED = Path(__file__).parent / "train_demo.json"
COMMAND = "rapidvision models train-demo --recipe few-pictures --controls --seeds 0 1"


def main(folder: Path) -> int:
    """Train, and write the results of every network on the test pictures."""
    cards = make(bundled_recipe("few-pictures"), folder, controls=True, seeds=(0, 1))
    networks = {card.name: {key: card.results[key] for key in ("test", "test_cluttered")} for card in cards}
    content = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "command": COMMAND, "networks": networks}
    STORED.write_text(json.dumps(content, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
