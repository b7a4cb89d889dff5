"""Hosts by themselves and on our kernels, a program for each host.

python -m rnnfast.bench.hosts.jax           training by lax.scan and by our functions; a call's cost
"""
