"""How the time behaves, where no peer is needed to say so: python -m rnnfast.bench.behaviour.

growth        with T, B and H
threads       with one thread, two, and more than there are cores
company       beside other work on the machine and in the process
modules       of PyTorch, before and after they are swapped
stacks        of layers in one call, and layer by layer
partitions    under the plan, and under every other
findings      each a ratio with its bound
"""
