"""Hosts by themselves and on our kernels, a program for each host.

python -m rnnfast.bench.hosts.jax           training by lax.scan and by our functions; a call's cost
python -m rnnfast.bench.hosts.keras         Keras's fit before and after swap, on each backend
python -m rnnfast.bench.hosts.tensorflow    the cost of an operation; Keras's fit
"""
