"""What the tests of JAX's libraries share."""

from contextlib import contextmanager

import jax
import numpy as np

from rnnfast.interop.jax import kernel_calls

# Compiling is most of what these tests do.
jax.config.update("jax_disable_most_optimizations", True)


@contextmanager
def by_our_kernels():
    """Fail unless the kernels run meanwhile; what is computed inside must be waited for there."""
    before = kernel_calls()
    yield
    assert kernel_calls() > before, "the host ran this, not the kernels"


def result_of(function, *args):
    """What a function gives, once it is there."""
    return jax.block_until_ready(function(*args))


def normal(seed, shape, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def moved(tree):
    """Weights of a fresh model, with biases that are not zero."""
    leaves, structure = jax.tree.flatten(tree)
    return structure.unflatten(
        [leaf + 0.3 * normal(i, leaf.shape, leaf.dtype) for i, leaf in enumerate(leaves)]
    )


def weighted_sum(tree):
    """A number that depends on every one of a tree, and on each in another way."""
    leaves = jax.tree.leaves(tree)
    return sum((normal(i, leaf.shape, leaf.dtype) * leaf).sum() for i, leaf in enumerate(leaves))


def assert_same(got, want, rtol=2e-5, atol=2e-6):
    """Trees of one structure, types and shapes, alike up to rounding."""
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol, atol)
