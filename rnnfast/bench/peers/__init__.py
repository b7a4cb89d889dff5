"""Whom rnnfast is compared with: one class in one file each, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping

from .onnxruntime import OnnxRuntime
from .ours import Ours
from .peer import Job, Peer, Unable
from .torch import Torch

__all__ = ["PEERS", "Job", "Ours", "Peer", "Unable"]

PEERS: Mapping[str, type[Peer]] = {peer.name: peer for peer in (Torch, OnnxRuntime)}
"""Every peer by the name of its package: a new one is one more class here."""
