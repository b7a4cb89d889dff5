"""rnnfast beside its peers, and beside the limits of the machine: python -m rnnfast.bench.

cases        what is timed
peers        who is timed: one class each, behind one interface
agreement    the answers are checked first
timing       turns, samples, medians
limits       what the machine allows
measure      all of these for one case
busy         whether the machine had something else to do meanwhile
tiles, subnormals, memory    figures that have no peer
training     whole programs beside Keras and PyTorch, and the loop beside its kernels
behaviour    how the time grows and what disturbs it: ratios beside their bounds
results, stored                  what was found, and its JSON
table, plots, report             terminal, Markdown, pictures
progress     what is at work
"""

from __future__ import annotations

from .cases import EVERYTHING, FIGURES, Case, Shape
from .peers import PEERS, Job, Ours, Peer

__all__ = ["EVERYTHING", "FIGURES", "PEERS", "Case", "Job", "Ours", "Peer", "Shape"]
