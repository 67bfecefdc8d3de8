"""The command line.

python -m benchmarks setup [torch jax keras sklearn minidl]     make their environments
python -m benchmarks [W1 W3 ...]                                measure; all workloads without names
python -m benchmarks report FILE.json ...                       write the tables and figures again
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.environments import DEFAULT_FOLDER, PACKAGES, ROOT, set_up
from benchmarks.figures import figures
from benchmarks.measure import Results, choose, measure, ours_failed
from benchmarks.report import markdown
from minidl.threads import usable_cores


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("words", nargs="*", metavar="WORD", help="as shown above")
    found.add_argument("--rounds", type=int, default=5, help="counted rounds (5)")
    found.add_argument(
        "--threads", type=int, default=usable_cores(), help="for everybody (all cores)"
    )
    found.add_argument(
        "--kernels",
        nargs="+",
        default=["default"],
        metavar="NAME",
        help="values of OPENBLAS_CORETYPE, one run for each; 'default' leaves it out",
    )
    found.add_argument("--environments", type=Path, default=DEFAULT_FOLDER, metavar="DIR")
    found.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "output", metavar="DIR")
    return found


def write(files: list[Results], folder: Path) -> None:
    """Write tables and figures, and say where."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(markdown(files))
    print(folder / "results.md")
    for name, figure in figures(files).items():
        for ending in ("png", "svg"):
            figure.savefig(folder / f"{name}.{ending}")
            print(folder / f"{name}.{ending}")


def main() -> int:
    """Run one of the three commands."""
    arguments = parser().parse_intermixed_args()
    words = arguments.words
    if words[:1] == ["setup"]:
        if unknown := set(words[1:]) - set(PACKAGES):
            parser().error(f"setup knows {', '.join(PACKAGES)}; got {', '.join(unknown)}")
        failed = set_up(arguments.environments.resolve(), words[1:])
        print(f"not set up: {', '.join(failed)}" if failed else "done", file=sys.stderr)
        return bool(failed)
    if words[:1] == ["report"]:
        if len(words) < 2:
            parser().error("report needs a file: results.json")
        write([json.loads(Path(word).read_text()) for word in words[1:]], arguments.output)
        return 0
    try:
        chosen = choose(words)
    except ValueError as error:
        parser().error(str(error))
    results = measure(
        chosen,
        rounds=arguments.rounds,
        threads=arguments.threads,
        kernels=arguments.kernels,
        environments=arguments.environments.resolve(),
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    write([results], arguments.output)
    return ours_failed(results)


if __name__ == "__main__":
    sys.exit(main())
