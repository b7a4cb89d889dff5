"""Hosts by themselves and on our kernels, a program for each host.

python -m rnnfast.bench.hosts.keras         Keras's fit before and after swap, on each backend
"""
