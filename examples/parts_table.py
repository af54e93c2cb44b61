"""
A table to try things on: moulded parts, good or scrap
======================================================

A program to run, not a page::

    python examples/parts_table.py parts.csv

It writes a synthetic table of 1,200 moulded parts: machine, material and humidity, and
48 readings of the pressure during production. A few of twelve events show in each curve
as a bump or a dip. Whether the part is scrap depends on the strength of some events,
whatever their sign, and on their combination with the machine or the material. One
value in twenty is missing. So each sample has few causes, and their effects do not add
up column by column: a case for this package, and not for a linear model.
"""

import argparse

import numpy as np
import pandas as pd

N_PARTS, N_READINGS, N_EVENTS = 1200, 48, 12
MACHINES, MATERIALS = np.array(["M1", "M2", "M3"]), np.array(["ABS", "PA", "PP"])


def draw_events(rng):
    """Draw the strength of each event in each part, mostly zero."""
    shape = (N_PARTS, N_EVENTS)
    happens = rng.random(shape) < 0.12
    return happens * rng.uniform(0.7, 1.5, shape) * rng.choice([-1, 1], shape)


def pressure(events, material, rng):
    """Return the readings of each part: a rise and fall, its events, and noise."""
    time = np.linspace(0, 1, N_READINGS)
    moments = np.linspace(0.05, 0.95, N_EVENTS)
    bumps = np.exp(-(((time - moments[:, None]) / 0.05) ** 2))
    level = np.array([3.0, 4.0, 5.0])[material]
    noise = 0.2 * rng.standard_normal((N_PARTS, N_READINGS))
    return level[:, None] * np.sqrt(np.sin(np.pi * time)) + events @ bumps + noise


def is_scrap(events, machine, material, humidity, rng):
    """Draw which parts are scrap."""
    risk = 2.5 * np.abs(events[:, 2]) + 2.0 * np.abs(events[:, 7])
    risk += 2.5 * events[:, 4] * np.array([1, -1, 0])[machine]
    risk += 1.5 * (events[:, 5] > 0) * (material == 1)
    risk += 0.03 * (humidity - 50) - 1.5
    return rng.random(N_PARTS) < 1 / (1 + np.exp(-2 * risk))


def make_parts(random_state=0):
    """Return the table."""
    rng = np.random.default_rng(random_state)
    events = draw_events(rng)
    machine, material = rng.integers(0, 3, (2, N_PARTS))
    humidity = rng.normal(50, 10, N_PARTS)
    table = pd.DataFrame(
        pressure(events, material, rng).round(2),
        columns=[f"pressure_{i:02d}" for i in range(N_READINGS)],
    )
    table.insert(0, "machine", MACHINES[machine])
    table.insert(1, "material", MATERIALS[material])
    table.insert(2, "humidity", humidity.round(1))
    table = table.mask(rng.random(table.shape) < 0.05)
    scrap = is_scrap(events, machine, material, humidity, rng)
    return table.assign(result=np.where(scrap, "scrap", "good"))


def main():
    """Write the table to the given file."""
    parser = argparse.ArgumentParser(description="Write a synthetic table of parts.")
    parser.add_argument("file", metavar="FILE.csv", help="where the table goes")
    file = parser.parse_args().file
    make_parts().to_csv(file, index=False)
    print(f"{N_PARTS} parts are in {file}")


if __name__ == "__main__":
    main()
