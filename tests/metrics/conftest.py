"""Makes `coco_oracle` importable for the tests beside it (pytest's importlib mode does not)."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
