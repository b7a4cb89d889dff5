"""How much of a reference a summary has, in order: ROUGE-L (Lin, 2004).

L = length of the longest common subsequence
recall = L / words of the reference,   precision = L / words of the summary
F = 2 precision recall / (precision + recall)
"""

from __future__ import annotations

from collections.abc import Sequence


def rouge_l(summary: Sequence[str], reference: Sequence[str]) -> float:
    """Score a summary.

    Parameters
    ----------
    summary, reference : sequence of str
        Words.

    Returns
    -------
    float
        F, from 0 to 1; 0 where either has no words.
    """
    common = longest_common_subsequence(summary, reference)
    # precision + recall = L (m + n) / (m n), so that F is
    return 2 * common / max(1, len(summary) + len(reference))


def longest_common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the length of the longest sequence that is found in both, in order."""
    before = [0] * (len(b) + 1)
    for x in a:
        row = [0]
        for k, y in enumerate(b):
            row.append(before[k] + 1 if x == y else max(before[k + 1], row[k]))
        before = row
    return before[-1]
