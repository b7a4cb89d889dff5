"""Hosts by themselves and on our kernels, a program for each host.

python -m rnnfast.bench.hosts.jax           training by lax.scan and by our functions; a call's cost
python -m rnnfast.bench.hosts.keras         Keras's fit before and after swap, on each backend
python -m rnnfast.bench.hosts.onnxruntime   sessions of a recurrent node with and without us
python -m rnnfast.bench.hosts.tensorflow    Keras's fit before and after swap; an operation's cost
"""
