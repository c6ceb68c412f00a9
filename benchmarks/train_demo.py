"""``python -m benchmarks.train_demo FOLDER``: store what maps add when images are few.

FOLDER is that of ``rapidvision models train-demo --recipe few-images --controls --seeds 0 1 --out FOLDER``. The run takes some ten
minutes on two idle cores, so `python -m benchmarks models` prints the stored one instead, with its date.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from rapidvision.gala_models.weights.card import read_card

STORED = Path(__file__).parent / "train_demo.json"
COMMAND = "rapidvision models train-demo --recipe few-images --controls --seeds 0 1"


def main(folder: Path) -> int:
    """Write the results, on the test images, of every network that the run made."""
    cards = [read_card(path) for path in sorted((folder / "networks").glob("*.safetensors"))]
    networks = {card.name: {key: card.results[key] for key in ("test", "test_cluttered")} for card in cards}
    made = max(path.stat().st_mtime for path in (folder / "networks").glob("*.safetensors"))
    content = {"date": f"{datetime.fromtimestamp(made, UTC):%Y-%m-%d}", "command": COMMAND, "networks": networks}
    STORED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
