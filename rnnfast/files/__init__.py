"""Files: whole at any moment, and holding arrays and plain data, never code.

    atomic_file        a file that is the old one or the new one, whatever stops the program
    destination        where a user asks for one, and what is said when it cannot be
    safetensors_file   arrays
    state_file         nested lists and dicts of numbers, strings and arrays

Sizes that come from a file are checked against it before memory is taken.
"""
