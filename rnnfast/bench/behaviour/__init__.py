"""How the time behaves, by itself and disturbed: python -m rnnfast.bench.behaviour.

growth        with T, B and H
threads       with one thread, two, and more than there are cores
busy_cores    beside processes that never rest
pools         beside other pools of threads in the process
callers       with eight threads of Python that call at once
modules       of PyTorch, before and after they are swapped
autograd      what a training call of these takes around the kernels
stacks        of layers in one call, and layer by layer
partitions    under the plan, and under every other
disturbances  what is timed alone and disturbed, and who is timed beside us
settings      a call under another plan, or another number of threads
ratios        each beside its bound
"""
