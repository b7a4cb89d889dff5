"""Drop-ins for other libraries, each in a module of its own that alone imports its host.

torch       `RNN`, `LSTM`, `GRU`, their cells, and `swap` for whole models
"""
