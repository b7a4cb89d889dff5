"""Hosts by themselves and on our kernels, a program for each host.

python -m rnnfast.bench.hosts.onnxruntime    sessions of a recurrent node with and without us
"""
