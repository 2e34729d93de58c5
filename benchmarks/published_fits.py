"""How long the published fits take: the CDNOW sample, from the histories that ship with the package.

    python benchmarks/published_fits.py [--rounds 20]

Every figure is the median over the rounds of one fit in a warm process; what is verified, `churnkit verify` shows.
"""

import argparse
import statistics
import time

from churnkit.predict.published.verify import Calibration, shipped_histories


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rounds", type=int, default=20)
    rounds = ask.parse_args().rounds
    seconds: dict[str, list[float]] = {}
    fits = Calibration(shipped_histories()).fits
    for _ in range(rounds + 1):
        for name, fit in fits.items():
            begun = time.perf_counter()
            fit()
            seconds.setdefault(name, []).append(time.perf_counter() - begun)
    print(f"{'seconds a fit':15}{'median':>8}{'most':>8}")
    for name, taken in seconds.items():
        print(f"{name:15}{statistics.median(taken[1:]):8.4f}{max(taken[1:]):8.4f}")


if __name__ == "__main__":
    main()
