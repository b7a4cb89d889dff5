"""Whom rnnfast is compared with: one class in one file each, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping

from .jax import Jax
from .keras import Keras
from .onnxruntime import OnnxRuntime
from .openvino import OpenVino
from .ours import Ours
from .ours_checkpoints import OursWithCheckpoints
from .peer import Job, Peer, Unable
from .torch import Torch
from .torch_bfloat16 import TorchBfloat16
from .torch_compiled import TorchCompiled

__all__ = ["PEERS", "Job", "Ours", "OursWithCheckpoints", "Peer", "Unable"]

PEERS: Mapping[str, type[Peer]] = {
    peer.name: peer
    for peer in (Torch, TorchCompiled, TorchBfloat16, OnnxRuntime, OpenVino, Jax, Keras)
}
"""Every peer by its name: a new one is one more class here."""
