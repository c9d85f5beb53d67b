"""`python -m webapp.openapi`: writes docs/openapi.json, what REST takes and gives. `--check`: only says if it is so."""

import argparse
import json
import sys
from pathlib import Path

from webapp.server import build_api

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def document() -> str:
    """The OpenAPI document of this version, as it is kept in the file."""
    return json.dumps(build_api().openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> int:
    """0; with --check, 1 where the file is not that of this version."""
    parser = argparse.ArgumentParser(prog="python -m webapp.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        if FILE.read_text() != document():
            print(f"{FILE} is not that of this version. Write it: python -m webapp.openapi", file=sys.stderr)
            return 1
        return 0
    FILE.write_text(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
