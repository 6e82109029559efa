"""When a training stops by itself: the judgements no longer improve.

A pure function of the records, so a training that is stopped from outside and resumed ends at the same step.
"""

from collections.abc import Sequence

from zerosum.training.history import Record


def stalled(records: Sequence[Record], patience: int | None) -> str | None:
    """Why the training ends here, or None where it goes on.

    A judgement improves where its js_estimate is lower than the best one by more than its own js_error.

    Args:
        records: All records of the run so far.
        patience: Judgements in a row that may be without improvement, less one; None for any number.
    """
    judged = [record for record in records if "js_estimate" in record]
    if patience is None or not judged or judged[-1] is not records[-1]:
        return None
    best, waited = judged[0], 0
    for record in judged[1:]:
        better = record["js_estimate"] < best["js_estimate"] - record["js_error"]
        best, waited = (record, 0) if better else (best, waited + 1)
    if waited < patience:
        return None
    return (
        f"{waited} judgements since step {best['step']} have not lowered the Jensen-Shannon divergence, "
        f"{best['js_estimate']:.4f} ± {best['js_error']:.4f} nats there, by more than its error; patience is {patience}"
    )
