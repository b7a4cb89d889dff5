"""Recurrent layers for JAX on the kernels of rnnfast."""
