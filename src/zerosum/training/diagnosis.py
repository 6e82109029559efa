r"""What is wrong with a game, from its records: sentences that say what happened and what to change.

A diagnosis is a pure function of the records so far and the configuration, so a training that is stopped and resumed
says the same at the same step. Four things go wrong in games (Arjovsky and Bottou 2017, arXiv:1701.04862; Mescheder et
al. 2018, arXiv:1801.04406):

- collapse: the generator leaves out a part of the data, seen at a judgement in `spread` and `uncovered`;
- dominated: D is always right, V(D, G) stays near its upper end 0, and the generator's gradient tells it little;
- divergence: a loss or a gradient grows without bound;
- range: V is below -ln 4, which the best D never is: what D says does not hold for events that it has not seen.

To add one, write one function and one line of `CHECKS`. The thresholds are wide: a sentence should be worth reading.
"""

import math
from collections.abc import Callable, Sequence

from zerosum.theory.estimate import EQUILIBRIUM
from zerosum.training.config import Config
from zerosum.training.history import Record

Records = Sequence[Record]

NARROW = 0.5  # generated spread over the data's
LOST = 0.1  # share of validation events that are not covered
EARLY = 0.2  # of the steps, in which a generator is not yet judged
YOUNG = 1000  # steps at least: every generator begins narrow
SURE = 3.0  # standard errors
DOMINATED = -0.1  # nats: V of a discriminator that is wrong for about one event in a hundred
LONG = 0.1  # of the steps: how long V may stay there; at the start it always does
FEWEST = 5  # records at least
GROWN = 100.0  # times the smallest size among the first records, or times 1


def diagnose(records: Records, config: Config) -> list[str]:
    """What is wrong at the last record and was not said before.

    Args:
        records: All records of the run so far; earlier ones carry what was said in "warnings".
        config: The resolved configuration.
    """
    if config.model != "gan" or not records:
        return []
    said = {sentence.partition(":")[0] for _, sentence in warned(records)}
    open_checks = {name: check for name, check in CHECKS.items() if name not in said}
    found = {name: check(records, config) for name, check in open_checks.items()}
    return [f"{name}: {sentence}" for name, sentence in found.items() if sentence]


def warned(records: Records) -> list[tuple[int, str]]:
    """All that was said, with the step at which it was."""
    return [(record["step"], sentence) for record in records for sentence in record.get("warnings", ())]


def collapse(records: Records, config: Config) -> str | None:
    """Little spread, or data without generated events near them, at two judgements in a row or at the end."""
    judged = [r for r in records if "spread" in r and r["step"] >= max(EARLY * config.steps, YOUNG)][-2:]
    ended = records[-1]["step"] >= config.steps
    if not judged or judged[-1] is not records[-1] or (len(judged) < 2 and not ended):
        return None
    if ended:
        judged = judged[-1:]
    spread, lost = records[-1].get("spread", 1.0), records[-1].get("uncovered", 0.0)
    if all(record.get("spread", 1.0) < NARROW for record in judged):
        fact = f"generated events spread {spread:.2g} times as far as the data"
    elif all(_lost(record) for record in judged):
        fact = f"{lost:.0%} of the validation events lie where practically no event is generated"
    else:
        return None
    return f"{fact}; the generator leaves out a part of the data; {_against_collapse(config)}."


def _lost(record: Record) -> bool:
    return bool(record.get("uncovered", 0.0) - SURE * record.get("uncovered_error", 0.0) > LOST)


def dominated(records: Records, config: Config) -> str | None:
    """V near 0 for a tenth of the steps."""
    last = records[-1]["step"]
    late = [r["value"] for r in records if "value" in r and r["step"] > last - LONG * config.steps]
    early = [r["step"] for r in records if r["step"] <= last - LONG * config.steps]
    values = late if len(late) >= FEWEST else [r["value"] for r in records[-FEWEST:] if "value" in r]
    if not early or len(values) < FEWEST or min(values) < DOMINATED:
        return None
    return (
        f"V = {values[-1]:.3f} and has stayed above {DOMINATED} for {len(values)} records; the discriminator tells "
        f"real from generated events without error and teaches the generator little; {_against_domination(config)}."
    )


def divergence(records: Records, config: Config) -> str | None:
    """A loss or a gradient that is a hundred times as large as at the start, three records long."""
    for key in sorted(key for key in records[-1] if key.startswith(("loss_", "gradient_"))):
        sizes = [abs(record[key]) for record in (*records[:FEWEST], *records[-3:]) if key in record]
        if len(records) < FEWEST + 3 or len(sizes) < FEWEST + 3:
            continue
        start, now = min(sizes[:FEWEST]), min(sizes[-3:])
        if now > GROWN * max(start, 1.0):
            what, _, player = key.partition("_")
            return (
                f"the {what} of the {player} is {records[-1][key]:.3g}, at first {start:.3g} in size; the game "
                f"grows without bound; {_against_divergence(config)}."
            )
    return None


def out_of_range(records: Records, config: Config) -> str | None:
    """V significantly below -ln 4 at each of the last records."""
    last = [record for record in records[-FEWEST:] if "value" in record and "value_error" in record]
    if len(last) < FEWEST or any(_in_range(r["value"], r["value_error"]) for r in last):
        return None
    value, error = last[-1]["value"], last[-1]["value_error"]
    return (
        f"V = {value:.3f} ± {error:.3f} is below its equilibrium -ln 4 = {EQUILIBRIUM:.3f}, where the best "
        "discriminator never is; what the discriminator says does not hold for validation events; "
        f"{_stronger(config, 'gamma')}, make width smaller (now {config.width}), or train on more events."
    )


def _in_range(value: float, error: float) -> bool:
    return error == 0 or value + SURE * error > EQUILIBRIUM


CHECKS: dict[str, Callable[[Records, Config], str | None]] = {
    "collapse": collapse,
    "dominated discriminator": dominated,
    "divergence": divergence,
    "V out of range": out_of_range,
}


def _against_collapse(config: Config) -> str:
    if config.objective != "relativistic":
        return f"set objective: relativistic (now {config.objective}), which compares pairs and does not let modes go"
    if config.penalty != "r1r2":
        return f"set penalty: r1r2 (now {config.penalty})"
    return (
        f"{_stronger(config, 'gamma')}, or set packing: {min(4 * config.packing, 10)} (now {config.packing})"
    )


def _against_domination(config: Config) -> str:
    if config.penalty == "none":
        return "set penalty: r1r2 (now none)"
    if config.discriminator_updates > 1:
        return f"set discriminator_updates: 1 (now {config.discriminator_updates})"
    return f"{_stronger(config, 'gamma')}, or make width larger (now {config.width})"


def _against_divergence(config: Config) -> str:
    rates = config.learning_rate or (math.nan, math.nan)
    slower = f"lower learning_rate, for example to [{rates[0] / 4:g}, {rates[1] / 4:g}] (now {_pair(rates)})"
    if config.penalty == "none":
        return f"set penalty: r1r2 (now none), or {slower}"
    return f"{_stronger(config, 'gamma')}, or {slower}"


def _stronger(config: Config, name: str) -> str:
    if config.penalty == "none":
        return "set penalty: r1r2 (now none)"
    start, end = config.gamma or (math.nan, math.nan)
    if start == 0:
        return f"set {name} above 0, for example [0.1, 0.01] (now {_pair((start, end))})"
    return f"raise {name}, for example to [{4 * start:g}, {4 * end:g}] (now {_pair((start, end))})"


def _pair(schedule: tuple[float, float]) -> str:
    return f"[{schedule[0]:g}, {schedule[1]:g}]"
