"""Streams of recurrent models: a step that asks nothing of the system.

    load(path or weights)      a Model: layers packed once, shared by all its streams
    model.session()            a Session: one stream, its state and its memory
    model.pool(capacity)       a Pool: many streams, any of which take their next step together

Everything is made at the beginning. A step is then the work of the thread that calls and no other:
the kernels allocate nothing, take no lock and make no system call. The bits are those of the whole
sequence at once.
"""

from __future__ import annotations

from .model import Model, load
from .pool import Pool
from .session import Session

__all__ = ["Model", "Pool", "Session", "load"]
