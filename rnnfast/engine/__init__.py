"""What takes the steps: layers, directions, noise and time around the kernels of one layer.

    network      layers on layers, each in one direction or in both
    core_calls   one layer in one direction, or all at once, in the compiled core
    step_order   the steps as the core takes them, whichever way a sequence is run
    noise        what is drawn at random in a call that has a seed
    chance       a rate of any size, drawn by numbers of few bits
    empty_pass   a pass in which there is no step to take
    pullback     from gradients by results to gradients by arguments

Its arguments have been checked. Public functions, layers and other doors stand on it.
"""
