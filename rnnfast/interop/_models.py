"""Whose models go where: what is said to who gives one host's model to the `swap` of another."""

from __future__ import annotations

# By the module of a class, or of what it derives from.
_TAKERS = {
    "flax.linen": "rnnfast.interop.jax.flax.intercept",
    "flax.nnx": "rnnfast.interop.jax.flax.swap",
    "keras": "rnnfast.interop.keras.swap",
    "torch": "rnnfast.interop.torch.swap",
}


def require_model(model: object, kind: type, name: str) -> None:
    """Raise TypeError unless a model is of a kind, whose name the message gives."""
    if isinstance(model, kind):
        return
    got = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
    raise TypeError(f"model must be {name}, got {got}{taken_by(model)}")


def taken_by(model: object) -> str:
    """Return "; X takes it" for a model, or the class of one, of a host that is known, or ""."""
    is_class = isinstance(model, type)
    for base in model.__mro__ if isinstance(model, type) else type(model).__mro__:
        for module, taker in _TAKERS.items():
            if f"{base.__module__}.".startswith(f"{module}."):
                return f"; {taker} takes {'an instance of it' if is_class else 'it'}"
    return ""
